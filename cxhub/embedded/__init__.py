"""PostgreSQL and Valkey carried in wheels, for machines that have no server of their own.

Used only where DATABASE_URL or VALKEY_URL is unset. Both servers listen on Unix sockets in a folder that only
their user (and root) can enter, so nobody else on the machine reaches them and no port is taken.
`places` decides where things are; `postgres` and `valkey` start and stop the servers.
"""
