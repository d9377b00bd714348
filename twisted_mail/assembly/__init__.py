"""Makes every part that one configuration asks for, and connects them."""
