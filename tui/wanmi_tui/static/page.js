// textual.js asks for the page again through buttons that this page does not have; nothing else is needed.
"use strict";
document.getElementById("terminal").focus();
