// What every simulated phone shows and does: lines of a call, who is on it, and what its holder does.

const KEY = /^\[([0-9*#])\]$/;

/** The words of a page, put there as JSON. */
export function textsOf(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/** Sends what the holder of a phone does; throws an Error with a sentence when it was refused. */
export async function send(address, body, texts) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify(body),
  });
  if (response.status === 204) return {};
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.reason || texts.failed);
  return answer;
}

let before = Promise.resolve();

/** The same for what happens on a line: one after another, since a request may be overtaken by the next, and keys make a number. */
export function sendInOrder(address, body, texts) {
  const sent = before.then(() => send(address, body, texts));
  before = sent.catch(() => {});
  return sent;
}

/** A number or SIP address as people read it, with the name of whoever has it, if that is known. */
export function readable(address, texts) {
  const shown = /^\d+$/.test(address) ? `+${address}` : address;
  return texts.names[shown] ? `${texts.names[shown]} (${shown})` : shown;
}

/** What the call is doing, in words. */
export function statusText(update, texts) {
  return (!update.ended && texts.doing[update.doing]) || texts.status[update.status] || update.status;
}

// Keys pressed one after another are one line: “166350” rather than six.
export function addLine(list, line, texts) {
  const key = line.who === "me" && KEY.exec(line.text)?.[1];
  const before = list.lastElementChild;
  if (key && before?.classList.contains("line-keys")) {
    before.querySelector(".line-text").textContent += key;
    return;
  }
  const item = document.getElementById("line-template").content.firstElementChild.cloneNode(true);
  item.classList.add(`line-${line.who}`);
  item.classList.toggle("line-keys", Boolean(key));
  const speaker = line.who === "other" && line.speaker ? readable(line.speaker, texts) : texts.who[line.who] || line.who;
  item.querySelector(".line-who").textContent = key ? texts.who.keys : speaker;
  item.querySelector(".line-text").textContent = key || line.text;
  list.append(item);
  list.scrollTop = list.scrollHeight;
}

/** Who else is on the call, and who of them hears whom. */
export function showTogether(list, update, texts) {
  const { others, hears, heard_by: heardBy, music, muted, earmuffed, is_recorded: isRecorded } = update.together;
  const rows = update.ended ? [] : others.map(({ leg, address }) => {
    const how = hears.includes(leg) ? (heardBy.includes(leg) ? "both" : "youHear") : heardBy.includes(leg) ? "hearsYou" : "neither";
    return `${readable(address, texts)}: ${texts.together[how]}`;
  });
  if (!update.ended) {
    if (music) rows.push(texts.together.music);
    if (muted) rows.push(texts.together.muted);
    if (earmuffed) rows.push(texts.together.earmuffed);
    if (isRecorded) rows.push(texts.together.recorded);
  }
  list.replaceChildren(
    ...rows.map((text) => {
      const item = document.createElement("li");
      item.className = "badge";
      item.textContent = text;
      return item;
    }),
  );
  list.hidden = !rows.length;
}
