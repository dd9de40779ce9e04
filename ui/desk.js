// The panel's other contents: the articles of the archive, the reader's conversations, and articles that are brought in.
// Gradio calls it as it calls chat.js; element is the panel's frame. All HTML comes from listing.py and panel.py.

const shown = element.querySelector("#shown");
const panel = element.querySelector("#panel");
const WAIT = 200; // milliseconds after the last letter that is typed
const PASTED = " (pasted).jsonl"; // as listing.py takes it off
const SLOW = 600; // milliseconds until a reader wonders
let outlet = "";
let waiting = 0;
let asked = 0; // a late reply to an earlier request is dropped

async function request(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("Onrecord does not reply. If it was restarted, reload this page.");
  }
  if (!response.ok) throw new Error((await response.text()) || "That did not work.");
  return response;
}

async function put(place, address) {
  const mine = (asked += 1);
  place.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => mine === asked && place.replaceChildren(say("Loading …", "progress")), SLOW);
  let html = "";
  let problem = "";
  try {
    html = await (await request(address)).text();
  } catch (error) {
    problem = error.message;
  }
  clearTimeout(slow);
  if (mine !== asked) return false;
  place.removeAttribute("aria-busy");
  if (problem) place.replaceChildren(say(problem));
  else place.innerHTML = html;
  return !problem;
}

function say(text, kind = "problem") {
  const note = document.createElement("p");
  note.className = kind;
  note.role = kind === "problem" ? "alert" : "status";
  note.textContent = text;
  return note;
}

const panels = {
  async articles() {
    outlet = "";
    if (await put(shown, "/desk/archive")) list();
  },
  async conversations() {
    if (await put(shown, "/desk/conversations")) list();
  },
  async added() {
    await put(shown, "/desk/added");
  },
};

async function turnTo(name) {
  delete panel.dataset.turn;
  panel.scrollTop = 0;
  document.querySelectorAll("#conversation [aria-current]").forEach((number) => number.removeAttribute("aria-current"));
  document.querySelectorAll("#head [data-panel]").forEach((button) => button.toggleAttribute("aria-current", button.dataset.panel === name));
  document.dispatchEvent(new Event("reading"));
  await panels[name]();
  panel.focus({ preventScroll: true });
}

function list() {
  const form = shown.querySelector("form.find");
  if (!form) return;
  put(shown.querySelector(".listed"), `/desk/${form.dataset.list}?${wanted(form)}`);
}

// What the list is asked for. While a year is typed, the browser gives days of the years 2, 20 and 201.
function wanted(form, more = {}) {
  const fields = Object.entries({ ...Object.fromEntries(new FormData(form)), ...more });
  if (form.dataset.list === "articles") fields.push(["outlet", outlet]);
  return new URLSearchParams(fields.filter(([name, text]) => name === "query" || (text && (name === "skip" || name === "outlet" || text > "1400"))));
}

async function more(button) {
  const response = await request(`/desk/articles?${wanted(shown.querySelector("form.find"), { skip: button.dataset.more })}`);
  const next = document.createElement("template");
  next.innerHTML = await response.text();
  const first = next.content.querySelector("button");
  button.replaceWith(next.content);
  first?.focus();
}

async function read(id) {
  if (await put(shown, `/desk/article?${new URLSearchParams({ id })}`)) {
    const back = document.createElement("button");
    Object.assign(back, { type: "button", className: "back", textContent: "All articles" });
    back.dataset.panel = "articles";
    shown.prepend(back);
  }
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

function choose(button) {
  outlet = outlet === button.dataset.outlet ? "" : button.dataset.outlet;
  shown.querySelectorAll("[data-outlet]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.outlet === outlet)));
  list();
}

function rename(button) {
  const item = button.closest("li");
  const title = item.querySelector("b");
  const input = document.createElement("input");
  Object.assign(input, { value: title.textContent, maxLength: 120, ariaLabel: "Title of the conversation" });
  const done = async (keep) => {
    input.onblur = null;
    const wanted = input.value.trim();
    if (keep && wanted && wanted !== title.textContent) {
      await request(`/desk/conversations/${button.dataset.rename}`, { method: "PATCH", body: JSON.stringify({ title: wanted }) });
      title.textContent = wanted;
    }
    input.replaceWith(item.firstRow);
    button.focus();
  };
  item.firstRow = item.querySelector("[data-open]");
  item.firstRow.replaceWith(input);
  input.onblur = () => done(true).catch(trouble);
  input.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === "Escape") done(event.key === "Enter").catch(trouble);
    event.stopPropagation();
  };
  input.select();
}

// The first press asks, the second one does it.
async function sure(button, act) {
  if (button.dataset.sure) return act();
  const label = button.textContent;
  button.dataset.sure = "true";
  button.textContent = `${label}: are you sure?`;
  button.onblur = () => {
    delete button.dataset.sure;
    button.textContent = label;
  };
}

async function remove(button) {
  const name = button.dataset.delete;
  await request(`/desk/conversations/${name}`, { method: "DELETE" });
  if (location.hash === `#conversation=${name}`) document.getElementById("anew").click();
  list();
}

async function take(button) {
  button.disabled = true;
  button.textContent = "Removing …";
  count(await (await request(`/desk/added/${button.dataset.take}`, { method: "DELETE" })).json());
  await panels.added();
}

// Bringing in: one file after another, each with a line that says what became of it.
async function bring(files) {
  const input = shown.querySelector("#bring-files input");
  const { most, largest } = input.dataset;
  const progress = shown.querySelector("#bring-progress");
  const report = shown.querySelector("#bring-report");
  const bar = progress.querySelector("progress");
  progress.hidden = false;
  for (const [number, file] of files.entries()) {
    // How far one file is nobody knows: then the bar only says that it goes on.
    if (files.length > 1) Object.assign(bar, { max: files.length, value: number });
    else bar.removeAttribute("value");
    progress.querySelector("span").textContent = `Taking in ${shortened(file.name)}, ${number + 1} of ${files.length} …`;
    if (number >= most) tell(report, file.name, [], [`More than ${most} files at once. Choose it again.`]);
    else if (file.size > largest) tell(report, file.name, [], ["Larger than the limit."]);
    else await bringOne(report, file);
  }
  progress.hidden = true;
  input.value = "";
  await relist();
}

async function bringOne(report, file) {
  try {
    const response = await request(`/desk/added?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file });
    const became = await response.json();
    tell(report, file.name, became.articles, became.refused);
    count(became);
  } catch (error) {
    tell(report, file.name, [], [error.message]);
  }
}

const shortened = (name) => name.replace(PASTED, "");

// Says in the head and in the question's box what there is now.
function count({ held }) {
  const some = held.split(" · ")[0];
  const box = document.querySelector("#box textarea");
  document.getElementById("held").textContent = held;
  if (box) box.placeholder = `Ask about ${some === "1 article" ? "this article" : `these ${some}`}`;
}

function tell(report, name, articles, refused) {
  const item = document.createElement("li");
  const label = document.createElement("b");
  const said = document.createElement("small");
  label.textContent = shortened(name);
  const count = articles.length === 1 ? "1 article is in." : articles.length ? `${articles.length} articles are in.` : "";
  said.textContent = [count, ...refused].filter(Boolean).join(" ");
  item.className = articles.length ? (refused.length ? "partly" : "in") : "out";
  item.append(label, said);
  report.append(item);
}

// Brings the list of what was brought in up to date, and leaves the report where it is.
async function relist() {
  const fresh = document.createElement("template");
  fresh.innerHTML = await (await request("/desk/added")).text();
  const report = shown.querySelector("#bring-report");
  while (report.nextSibling) report.nextSibling.remove();
  const rest = fresh.content.querySelector("#bring-report");
  while (rest.nextSibling) report.parentElement.append(rest.nextSibling);
}

const trouble = (error) => {
  shown.querySelector(".problem")?.remove();
  shown.prepend(say(error.message));
  panel.scrollTop = 0;
};

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-panel], #shown button");
  if (!button) return;
  const { dataset } = button;
  if (dataset.panel) turnTo(dataset.panel);
  else if (dataset.read) read(dataset.read).catch(trouble);
  else if (dataset.more) more(button).catch(trouble);
  else if (dataset.outlet) choose(button);
  else if (dataset.open) document.dispatchEvent(new CustomEvent("restore", { detail: dataset.open }));
  else if (dataset.rename) rename(button);
  else if (dataset.delete) sure(button, () => remove(button)).catch(trouble);
  else if (dataset.take) sure(button, () => take(button)).catch(trouble);
});
shown.addEventListener("input", ({ target }) => {
  if (!target.closest("form.find")) return;
  clearTimeout(waiting);
  waiting = setTimeout(list, WAIT);
});
shown.addEventListener("change", ({ target }) => {
  if (target.matches("#bring-files input")) bring([...target.files]).catch(trouble);
});
shown.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.id !== "bring-text") return list();
  const fields = Object.fromEntries(new FormData(event.target));
  const file = new File([JSON.stringify(fields)], (fields.title.trim() || "Pasted article") + PASTED);
  bring([file]).then(() => event.target.reset()).catch(trouble);
});
// A file that misses its place would take the page's place in the browser.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    if (kind === "drop" && event.target.closest(".drop")) bring([...event.dataTransfer.files]).catch(trouble);
  });
}
// The page was made when the server started; articles may have come since.
request("/desk/held").then(async (response) => count({ held: await response.text() }), () => {});
