"""How much what somebody said is like what a record holds; no database here.

`folding`, `numbers`, `names`, `dates` and `codes` read what was heard, in any language and with what recognition makes of it;
`weighing` says how strongly it speaks for each of some records.
"""
