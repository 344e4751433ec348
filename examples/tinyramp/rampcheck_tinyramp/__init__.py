"""Where rampcheck finds this pack: its folders are in this package in the wheel, and beside it here."""
