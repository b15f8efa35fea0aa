"""What every suite shares: the seeded accounts, the server process, and the official clients pointed at it."""
