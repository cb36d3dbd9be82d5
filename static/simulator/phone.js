// The phone simulator's page: dials, shows what is said, sends what is said and keyed.
// Everything that happens comes over one stream of server-sent events; a lost connection starts anew, and lines are
// numbered, so nothing is shown twice.

import { addLine, readable, send, sendInOrder, showTogether, statusText, textsOf } from "./handset.js";
import { Messages } from "./messages.js";
import { Ears, Voice } from "./speech.js";

const phone = document.getElementById("phone");
const texts = textsOf("phone-texts");
const dialler = document.getElementById("dialler");
const callButton = document.getElementById("call");
const hangUpButton = document.getElementById("hang-up");
const callStatus = document.getElementById("call-status");
const problem = document.getElementById("problem");
const lineList = document.getElementById("lines");
const linesEmpty = document.getElementById("lines-empty");
const speakForm = document.getElementById("speak");
const words = document.getElementById("words");
const sayButton = document.getElementById("say");
const microphone = document.getElementById("microphone");
const readAloud = document.getElementById("read-aloud");
const keyCode = document.getElementById("key-code");
const agentList = document.getElementById("agents");
const agentsEmpty = document.getElementById("agents-empty");
const together = document.getElementById("together");
const fault = document.getElementById("fault");
const token = dialler.elements.csrfmiddlewaretoken.value;

const SPEAKING_EVERY_MS = 5000;
const voice = new Voice();
const ears = new Ears(document.documentElement.lang);
const agents = new Map();
const messages = new Messages({
  list: document.getElementById("messages"),
  empty: document.getElementById("messages-empty"),
  template: document.getElementById("text-template"),
  texts,
});
const ownNumber = dialler.elements.from;
const incoming = document.getElementById("incoming");
let leg = "";
let shown = 0;
let stream = null;
let saidSpeaking = 0;

async function act(of, body) {
  try {
    await sendInOrder(`${phone.dataset.dialUrl}${encodeURIComponent(of)}/act/`, body, texts);
    report("");
  } catch (error) {
    report(error.message || texts.failed);
  }
}

const writing = document.getElementById("write");
const write = async (message) => {
  try {
    await send(writing.dataset.url, { from: ownNumber.value, to: dialler.elements.to.value, ...message });
    writing.elements.text.value = "";
    report("");
  } catch (error) {
    report(error.message || texts.failed);
  }
};
writing.addEventListener("submit", (event) => {
  event.preventDefault();
  write({ text: writing.elements.text.value });
});
document.getElementById("write-picture").addEventListener("click", () => write({ picture: true }));

function report(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

function listen() {
  stream?.close();
  const asked = new URLSearchParams({ leg, number: ownNumber.value });
  stream = new EventSource(`${phone.dataset.streamUrl}?${asked}`);
  stream.onmessage = (message) => {
    const update = JSON.parse(message.data);
    if (update.texts) messages.show(update);
    else if (update.leg === leg) showCall(update);
    else if (update.rings_here) showIncoming(update);
    else if (update.direction === "outbound") showAgent(update);
  };
}

async function dial() {
  callButton.disabled = true;
  report("");
  try {
    const call = await send(phone.dataset.dialUrl, {
      from: dialler.elements.from.value,
      to: dialler.elements.to.value,
      options: { faults: fault.value ? [fault.value] : [] },
    }, texts);
    leg = call.leg;
    shown = 0;
    lineList.replaceChildren();
    linesEmpty.hidden = true;
    setInCall(true);
    callStatus.textContent = texts.status.started;
    listen();
    words.focus();
  } catch (error) {
    report(error.message || texts.failed);
    callButton.disabled = false;
  }
}

// ---- Somebody calls this phone

function showIncoming(update) {
  const rings = !update.ended && ["started", "ringing"].includes(update.status) && !callButton.disabled;
  if (!rings && update.leg !== incoming.dataset.leg) return;
  incoming.hidden = !rings;
  incoming.dataset.leg = rings ? update.leg : "";
  document.getElementById("incoming-who").textContent = texts.incoming.replace("{number}", readable(update.from, texts));
}

async function takeIncoming() {
  leg = incoming.dataset.leg;
  shown = 0;
  incoming.hidden = true;
  lineList.replaceChildren();
  linesEmpty.hidden = true;
  setInCall(true);
  await act(leg, { do: "answer" });
  listen();
  words.focus();
}

function setInCall(inCall) {
  callButton.disabled = inCall;
  hangUpButton.disabled = !inCall;
  for (const control of [words, sayButton, microphone, keyCode, ...document.querySelectorAll("#keypad button")]) {
    control.disabled = !inCall;
  }
  for (const field of [dialler.elements.from, dialler.elements.to]) field.readOnly = inCall;
  if (!inCall) {
    ears.stop();
    microphone.setAttribute("aria-pressed", "false");
  }
}

function showCall(update) {
  update.lines.forEach((line, index) => {
    if (update.first + index < shown) return;
    shown = update.first + index + 1;
    addLine(lineList, line, texts);
    if (line.who === "me") voice.stop();
    else if (line.who !== "status" && readAloud.checked) voice.say(line.text, document.documentElement.lang);
  });
  callStatus.textContent = statusText(update, texts);
  callStatus.classList.toggle("badge-ok", !update.ended);
  phone.dataset.doing = update.ended ? "ended" : update.doing;
  showTogether(together, update, texts);
  if (update.ended) setInCall(false);
}

function showAgent(update) {
  let agent = agents.get(update.leg);
  if (!agent) {
    agent = addAgent(update);
    agents.set(update.leg, agent);
  }
  update.lines.forEach((line, index) => {
    if (update.first + index < agent.shown) return;
    agent.shown = update.first + index + 1;
    addLine(agent.list, line, texts);
  });
  const ringing = update.status === "ringing" || update.status === "started";
  agent.badge.textContent = statusText(update, texts);
  agent.element.classList.toggle("is-ringing", ringing && !update.ended);
  for (const button of agent.element.querySelectorAll("button, input")) {
    button.disabled = update.ended || (button.dataset.when === "ringing") !== ringing;
  }
  agent.beep.hidden = update.ended || ringing || !agent.isMachine;
  agentsEmpty.hidden = true;
}

function addAgent(update) {
  const element = document.getElementById("agent-template").content.firstElementChild.cloneNode(true);
  const agent = {
    element,
    shown: 0,
    isMachine: false,
    list: element.querySelector(".lines"),
    badge: element.querySelector(".badge"),
    beep: element.querySelector("[data-when=machine]"),
  };
  element.querySelector("h3").textContent = readable(update.to, texts);
  for (const button of element.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => {
      if (button.dataset.do === "machine") agent.isMachine = true;
      act(update.leg, { do: button.dataset.do });
    });
  }
  for (const button of element.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => act(update.leg, { do: "key", digit: button.dataset.key }));
  }
  const input = element.querySelector("input");
  element.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    act(update.leg, { do: "say", text: input.value });
    input.value = "";
  });
  agentList.prepend(element);
  return agent;
}

function say(text) {
  if (!leg || !text.trim()) return;
  voice.stop();
  act(leg, { do: "say", text });
}

dialler.addEventListener("submit", (event) => {
  event.preventDefault();
  dial();
});
hangUpButton.addEventListener("click", () => {
  voice.stop();
  act(leg, { do: "hang_up" });
});
speakForm.addEventListener("submit", (event) => {
  event.preventDefault();
  say(words.value);
  words.value = "";
  saidSpeaking = 0;
});
words.addEventListener("input", () => {
  if (leg && Date.now() - saidSpeaking > SPEAKING_EVERY_MS) {
    saidSpeaking = Date.now();
    act(leg, { do: "speaking" });
  }
});
document.getElementById("keypad").addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key) act(leg, { do: "key", digit: key.dataset.key });
});
keyCode.addEventListener("click", async () => {
  keyCode.disabled = true;
  for (const digit of `${phone.dataset.code}#`) await act(leg, { do: "key", digit });
  document.getElementById("code-hint").hidden = true;
  words.focus();
});

if (voice.available) document.getElementById("read-aloud-label").hidden = false;
readAloud.addEventListener("change", () => readAloud.checked || voice.stop());
if (ears.available) {
  microphone.hidden = false;
  microphone.addEventListener("click", () => {
    const on = microphone.getAttribute("aria-pressed") !== "true";
    microphone.setAttribute("aria-pressed", String(on));
    if (on) ears.start(say, () => act(leg, { do: "speaking" }));
    else ears.stop();
  });
}
window.addEventListener("pagehide", () => {
  if (leg && !hangUpButton.disabled) {
    fetch(`${phone.dataset.dialUrl}${leg}/act/`, {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ do: "hang_up" }),
    });
  }
});

document.getElementById("take").addEventListener("click", takeIncoming);
document.getElementById("turn-away").addEventListener("click", () => act(incoming.dataset.leg, { do: "decline" }));
ownNumber.addEventListener("change", () => {
  messages.clear();
  listen();
});

listen();
if (phone.dataset.dialNow === "yes") dial();
