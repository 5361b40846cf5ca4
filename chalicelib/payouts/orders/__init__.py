"""What is asked of a rail for one payout, frozen before the first call, and when to ask again."""
