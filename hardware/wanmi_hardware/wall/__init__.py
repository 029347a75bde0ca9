"""``wanmi wall``: runs on the PC behind a display and opens the page that its edge names."""
