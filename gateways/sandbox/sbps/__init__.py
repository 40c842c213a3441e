"""SB Payment Service's side of the wire: XML in Shift_JIS on one address, a merchant that everybody may use."""
