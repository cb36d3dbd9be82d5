"""A day played through the real distributor in compressed time, in a database of its own: for planning, and for proof.

`reading` takes the files, `company` the policy, `plan` fits the two together and writes them into the throwaway
`database`, `day` lets the day pass, `overtaking` watches the order, `figures` adds up, `showing` puts it into words.
"""
