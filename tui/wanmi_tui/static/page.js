// The terminal takes the keys at once: once its text area and its stream are there.
"use strict";
const look = setInterval(() => {
  const area = document.querySelector(".xterm-helper-textarea");
  if (area && document.body.classList.contains("-first-byte")) {
    clearInterval(look);
    area.focus();
  }
}, 50);
