// Hears of calls (Server-Sent Events): loads the page anew when its calls change, unless somebody is writing; then it
// only says so.
"use strict";

const busy = () => {
  const changed = (field) =>
    field.type === "radio" || field.type === "checkbox"
      ? field.checked !== field.defaultChecked
      : "defaultValue" in field && field.value !== field.defaultValue;
  return document.activeElement?.closest("form") != null || [...document.querySelectorAll("form.wrap *")].some(changed);
};

const shown = document.body.dataset.calls;

async function look() {
  const answer = await fetch("/api/v1/hotline/popup", { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const now = (await answer.json()).calls.map((call) => `${call.call}:${call.state}`).join(" ");
  if (now === shown) return;
  if (busy()) document.getElementById("news").hidden = false;
  else location.assign("/hotline");
}

const stream = new EventSource(`/api/v1/events?kinds=call.&after=${document.body.dataset.pos}`);
for (const name of ["entry", "reload"]) stream.addEventListener(name, look);
