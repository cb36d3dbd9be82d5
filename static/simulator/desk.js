// The phone of somebody at the company: rings, shows what is heard and from whom, answers, speaks, presses keys, hangs up.

import { addLine, readable, sendInOrder, showTogether, statusText, textsOf } from "./handset.js";

const phone = document.getElementById("phone");
const texts = textsOf("phone-texts");
const badge = document.getElementById("call-status");
const lineList = document.getElementById("lines");
const linesEmpty = document.getElementById("lines-empty");
const together = document.getElementById("together");
const incoming = document.getElementById("incoming");
const problem = document.getElementById("problem");
const speakForm = document.getElementById("speak");
const words = document.getElementById("words");
const ends = document.getElementById("ends");
const title = document.title;
let leg = "";
let machine = "";
let shown = 0;

async function act(body) {
  try {
    await sendInOrder(`${phone.dataset.dialUrl}${encodeURIComponent(leg)}/act/`, body, texts);
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message || texts.failed;
    problem.hidden = false;
  }
}

// Another call is shown when this phone is free: the one that rings next takes the place of the one that ended.
function show(update) {
  if (update.leg !== leg) {
    if (update.ended || (leg && phone.dataset.doing !== "ended")) return;
    leg = update.leg;
    shown = 0;
    lineList.replaceChildren();
  }
  const rings = !update.ended && ["started", "ringing"].includes(update.status);
  phone.dataset.doing = update.ended ? "ended" : rings ? "ringing" : "talking";
  incoming.hidden = !rings;
  document.getElementById("incoming-who").textContent = texts.incoming.replace("{number}", readable(update.from, texts));
  document.title = rings ? `${texts.status.ringing}: ${title}` : title;
  update.lines.forEach((line, index) => {
    if (update.first + index < shown) return;
    shown = update.first + index + 1;
    addLine(lineList, line, texts);
  });
  linesEmpty.hidden = rings || Boolean(lineList.children.length);
  badge.textContent = statusText(update, texts);
  badge.classList.toggle("badge-ok", !update.ended);
  showTogether(together, update, texts);
  const talks = phone.dataset.doing === "talking";
  for (const control of document.querySelectorAll("#keypad button, #speak button, #speak input, #hang-up")) control.disabled = !talks;
  document.getElementById("beep").hidden = !talks || machine !== leg;
}

const stream = new EventSource(`${phone.dataset.streamUrl}?${new URLSearchParams({ number: phone.dataset.address, only: "1" })}`);
stream.onmessage = (message) => {
  const update = JSON.parse(message.data);
  if (update.leg) show(update);
};

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => {
    if (button.dataset.do === "machine") machine = leg;
    act({ do: button.dataset.do });
  });
}
ends.addEventListener("change", () => {
  const [status, detail] = ends.value.split(" ");
  if (status) act(detail ? { do: status, detail } : { do: status });
  ends.value = "";
});
document.getElementById("keypad").addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key) act({ do: "key", digit: key.dataset.key });
});
speakForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!words.value.trim()) return;
  act({ do: "say", text: words.value });
  words.value = "";
});
