// Builds elements without ever reading markup from a string: what people write stays text.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes` may hold `class`, `on` ({event: listener}) and `properties`; null, undefined and false are left out. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "properties") Object.assign(node, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Drawn for this widget on a grid of 24, in the stroke of the text around them.
const DRAWINGS = {
  chat: ["M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6.5L7 21v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z", "M8 9h8M8 12.5h5"],
  close: ["M6 6l12 12M18 6L6 18"],
  down: ["M6 9.5l6 6 6-6"],
  phone: ["M6.5 3.5h2.6l1.6 4.3-2.1 1.7a12 12 0 0 0 5.9 5.9l1.7-2.1 4.3 1.6v2.6a2.5 2.5 0 0 1-2.7 2.5A16.5 16.5 0 0 1 4 6.2a2.5 2.5 0 0 1 2.5-2.7z"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5"],
  send: ["M4 12l16-8-5.5 16-3.2-6.5z", "M11.3 13.5L20 4"],
  calendar: ["M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 19V7A1.5 1.5 0 0 1 5 5.5z", "M3.5 10h17M8 3v4M16 3v4"],
  page: ["M6.5 3h7.5l5 5v11.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19.5v-15A1.5 1.5 0 0 1 6.5 3z", "M13.5 3.5V8.5h5M8.5 13h7M8.5 16.5h5"],
  tag: ["M4 4h7.5l8.5 8.5-7.5 7.5L4 11.5z", "M8.2 8.2v.1"],
  box: ["M12 3.5l8 4v9l-8 4-8-4v-9z", "M4.2 7.7L12 11.5l7.8-3.8M12 11.5V20"],
  shield: ["M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z", "M9 12l2.2 2.2L15.2 10"],
  warning: ["M12 4l9 16H3z", "M12 10v4.5M12 17.2v.1"],
};

/** A small drawing for decoration; the words beside it carry the meaning. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" })) {
    drawing.setAttribute(key, value);
  }
  for (const line of DRAWINGS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    drawing.append(path);
  }
  return drawing;
}

/** Puts values into a sentence: fill("Until {time}", {time: "9:00"}). */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
