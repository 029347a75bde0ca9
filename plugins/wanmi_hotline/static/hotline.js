// Waits for calls: loads the page anew when they change, unless somebody is writing; then it only says so.
"use strict";

const busy = () => {
  const changed = (field) =>
    field.type === "radio" || field.type === "checkbox"
      ? field.checked !== field.defaultChecked
      : "defaultValue" in field && field.value !== field.defaultValue;
  return document.activeElement?.closest("form") != null || [...document.querySelectorAll("form.wrap *")].some(changed);
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function follow(seen) {
  for (;;) {
    try {
      const answer = await fetch(`/api/v1/hotline/popup?seen=${seen}&wait=25`, { headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const now = (await answer.json()).seen;
      if (now === seen) continue;
      if (!busy()) {
        location.assign("/hotline");
        return;
      }
      document.getElementById("news").hidden = false;
      seen = now;
    } catch {
      await pause(3000);
    }
  }
}

follow(Number(document.body.dataset.seen));
