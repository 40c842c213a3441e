"""What a payment gateway can do, how its bytes travel, and one room per provider.

Pure Python: no Django, no model of the shop. Everything above this package speaks in the words of
`vocabulary`, hands over the requests of `interface` and gets back one of the outcomes of `outcomes`.
"""
