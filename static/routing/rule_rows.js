// The rows of a decision table change places by pointer and by keyboard; what is sent is the number of each row, as without a script.

const table = document.getElementById("rule-rows");
if (table) {
  const body = table.tBodies[0];
  for (const row of body.querySelectorAll("tr.form-row:not(.empty-form)")) equip(row);
  document.addEventListener("formset:added", (event) => {
    if (body.contains(event.target)) equip(event.target);
  });
  for (const cell of table.querySelectorAll("[data-wrong-at]")) {
    cell.addEventListener("focus", () => selectWrongPart(cell), { once: true });
  }
  showFirstError();
}

/** After a save that was refused, the first wrong cell comes into view: the table is wider than the page, and longer. */
function showFirstError() {
  const told = document.querySelector("#rules-group td .errorlist:not(.rule-notes), #cases-group td .errorlist");
  const field = told?.closest("td").querySelector("input:not([type=hidden]), select, textarea");
  field?.focus({ preventScroll: true });
  told?.scrollIntoView({ block: "center", inline: "center" });
}

/** Puts a handle and two buttons into the cell with the row's number. */
function equip(row) {
  const cell = row.querySelector("td.field-position");
  if (!cell || cell.querySelector(".rule-moves")) return;
  const moves = document.createElement("div");
  moves.className = "rule-moves";
  const handle = button("⠿", table.dataset.drag, "rule-handle");
  handle.tabIndex = -1;
  handle.addEventListener("pointerdown", (event) => drag(row, event));
  const up = button("↑", table.dataset.up, "rule-up");
  up.addEventListener("click", () => step(row, -1, up));
  const down = button("↓", table.dataset.down, "rule-down");
  down.addEventListener("click", () => step(row, 1, down));
  moves.append(handle, up, down);
  cell.append(moves);
}

function button(sign, label, name) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `rule-move ${name}`;
  made.textContent = sign;
  made.title = label;
  made.setAttribute("aria-label", label);
  return made;
}

/** The rows that have a place: those that are stored or were given a number. */
function placed(also) {
  return [...table.tBodies[0].querySelectorAll("tr.form-row:not(.empty-form)")].filter(
    (row) => row === also || row.classList.contains("has_original") || number(row).value !== "",
  );
}

function number(row) {
  return row.querySelector("td.field-position input");
}

function step(row, by, pressed) {
  const rows = placed(row);
  const at = rows.indexOf(row);
  const other = rows[at + by];
  if (other) {
    if (by < 0) other.before(row);
    else other.after(row);
  }
  settle(row);
  pressed.focus();
  row.scrollIntoView({ block: "nearest" });
}

function drag(row, begun) {
  if (begun.button !== 0) return;
  begun.preventDefault();
  const from = row.nextSibling;
  const over = new AbortController();
  row.classList.add("rule-dragged");

  function move(event) {
    const rows = placed(row).filter((each) => each !== row);
    const below = rows.find((each) => {
      const box = each.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    if (below) {
      if (row.nextElementSibling !== below) below.before(row);
    } else if (rows.length && rows.at(-1).nextElementSibling !== row) {
      rows.at(-1).after(row);
    }
  }

  function end(kept) {
    row.classList.remove("rule-dragged");
    over.abort();
    if (kept) settle(row);
    else row.parentNode.insertBefore(row, from);
  }

  // The document listens, since a captured pointer is lost when its element is put elsewhere.
  const heard = { signal: over.signal };
  document.addEventListener("pointermove", move, heard);
  document.addEventListener("pointerup", () => end(true), heard);
  document.addEventListener("pointercancel", () => end(false), heard);
  document.addEventListener("keydown", (event) => event.key === "Escape" && end(false), heard);
}

/** Numbers the rows in the order they stand, and says where the moved one is now. */
function settle(moved) {
  const rows = placed(moved);
  rows.forEach((row, at) => {
    number(row).value = at + 1;
  });
  document.getElementById("rule-rows-moved").textContent = table.dataset.moved.replace("%d", rows.indexOf(moved) + 1);
}

/** Selects what a cell's error is about, up to the next comma. */
function selectWrongPart(cell) {
  const start = Number(cell.dataset.wrongAt) - 1;
  if (!cell.setSelectionRange || start > cell.value.length) return;
  const comma = cell.value.indexOf(",", start);
  cell.setSelectionRange(start, comma === -1 ? cell.value.length : comma);
}
