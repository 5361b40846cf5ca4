"""One member in one campaign: switched on, redeemed, taken back."""
