"""Till clocks as each store has them: kept, remembered for a while, and voted on."""
