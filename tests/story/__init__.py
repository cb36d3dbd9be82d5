"""The whole way, once: a customer chats, phones, meets a person, and a manager sees one journey."""
