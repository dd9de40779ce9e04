// The page's script. Gradio calls it once as a function of (element, trigger, props, server, upload, watch), where
// element is the conversation. It holds the turns: each update brings one, made by desk.py. Between them the component's
// value is where the next question is asked: in which conversation, and in the place of which answer.

const conversation = element.querySelector("#conversation");
const narrow = matchMedia("(max-width: 860px)");
const known = {}; // turn id -> its last update
const written = new WeakMap(); // node -> the HTML it was made from
const part = (id) => document.getElementById(id);
const welcome = part("welcome");
let place = { conversation: "", replaces: "" };
const left = new Set(); // ids of turns that still grew when their conversation was left
let origin = null; // the number that was chosen last
let begun = 0; // turns so far
let awaited = 0; // turns that there will be
let sent = null; // what was in the box when the question was asked there

// Puts the parts of a turn in place and leaves alone those that did not change, so that a growing answer takes away
// neither the focus nor a selection.
function write(turn, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const parts = [...fresh.content.children];
  parts.forEach((node, place) => {
    const source = node.outerHTML;
    const old = turn.children[place];
    if (old && written.get(old) === source) return;
    written.set(node, source);
    if (old) old.replaceWith(node);
    else turn.append(node);
  });
  [...turn.children].slice(parts.length).forEach((node) => node.remove());
}

function begin(id) {
  begun += 1;
  const turn = document.createElement("section");
  turn.id = id;
  turn.className = "turn";
  welcome.remove();
  part("silence")?.remove();
  conversation.querySelectorAll(".turn.replaced").forEach((old) => old.remove());
  conversation.append(turn);
  part("anew").hidden = false;
  document.dispatchEvent(new Event("asked"));
  return turn;
}

// Puts a text in the question's box, unless something else than what is expected has been typed there meanwhile.
function type(expected, text) {
  const box = document.querySelector("#box textarea");
  if (box.value !== expected) return;
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function put(question) {
  listen(null);
  trigger("click", { question });
}

// Sees to it that a question brings a turn. One that was sent while Gradio closed the stream of the answer before waits
// on the server until a stream is opened again, which any event does. A page that outlived its server hears nothing.
function listen(text) {
  sent = text;
  const own = (awaited = begun + 1);
  setTimeout(() => begun < own && trigger("select"), 1000);
  setTimeout(() => {
    if (begun >= own || part("silence")) return;
    awaited = begun;
    const note = document.createElement("p");
    note.id = "silence";
    note.className = "problem";
    note.textContent = "Onrecord has not replied yet. If it was restarted, reload this page.";
    conversation.append(note);
    note.scrollIntoView({ block: "nearest" });
  }, 10000);
}

function update() {
  const { id, question, done, refused } = props.value ?? {};
  if (!id) return;
  if (left.has(id) || part(id)?.dataset.stopped) return next();
  const old = part(id);
  const turn = old ?? begin(id);
  if (!old && question === sent) type(question, "");
  if (refused) type("", question);
  fill(turn, props.value);
  if (!old && turn.previousElementSibling) turn.scrollIntoView({ block: "start" });
  if (!done) return;
  if (props.value.name) stay(props.value.conversation);
  settle(turn);
}

function fill(turn, given) {
  known[turn.id] = given;
  write(turn, given.html);
  turn.dataset.name = given.name;
  turn.setAttribute("aria-busy", String(!given.done));
}

// The conversation has a name from its first answer on; the page's address keeps it, so that a reload shows it again.
function stay(name) {
  if (place.conversation === name) return;
  place.conversation = name;
  history.replaceState(history.state, "", name ? `#conversation=${name}` : location.pathname + location.search);
}

function next(replaces = "") {
  place = { ...place, replaces };
  props.value = structuredClone(place);
}

async function restore(name) {
  const response = await fetch(`/desk/conversations/${encodeURIComponent(name)}`);
  if (!response.ok) return leave();
  const { turns } = await response.json();
  await back();
  leave();
  for (const [number, given] of turns.entries()) fill(begin(`turn-kept-${number}`), given);
  stay(name);
  next();
  const last = conversation.querySelector(".turn:last-child");
  if (last) settle(last);
  last?.scrollIntoView({ block: "start" });
}

// Leaves the conversation for a new one.
function leave() {
  conversation.querySelectorAll('.turn[aria-busy="true"]').forEach((turn) => left.add(turn.id));
  conversation.querySelectorAll(".turn, #silence").forEach((turn) => turn.remove());
  conversation.append(welcome);
  conversation.querySelectorAll(".example").forEach((example) => (example.disabled = false));
  part("anew").hidden = true;
  stay("");
  next();
  if (part("panel").dataset.turn) clear();
}

// The finished answer's first source is shown beside it, unless the reader has already chosen one of this answer's.
function settle(turn) {
  next();
  if (origin?.closest(".turn") === turn && origin.isConnected) return mark();
  const first = turn.querySelector(".sentence button.number");
  if (first) show(first, turn.id);
  else clear(turn);
}

function show(number, id) {
  const panel = part("panel");
  origin = number.closest(".turn") ? number : part(id).querySelector(`[data-number="${number.dataset.number}"]`) ?? origin;
  part("shown").innerHTML = known[id].sources[number.dataset.number];
  panel.dataset.turn = id;
  panel.dataset.number = number.dataset.number;
  mark();
  panel.scrollTop = 0;
  const cited = panel.querySelector("mark.selected")?.getBoundingClientRect();
  const top = panel.getBoundingClientRect().top;
  if (cited?.bottom > top + panel.clientHeight * 0.8) panel.scrollTop = cited.top - top - panel.clientHeight / 3;
}

function clear(turn) {
  const nearest = turn?.querySelector("button.number") ? "Choose a number to read what comes nearest." : "";
  const note = document.createElement("p");
  note.className = "empty";
  note.textContent = turn ? `This answer has no source to show. ${nearest}` : "The source of a sentence opens here, in its article.";
  delete part("panel").dataset.turn;
  part("shown").replaceChildren(note);
  mark();
}

// Shows in the conversation which number the panel belongs to, and that it holds nothing else.
function mark() {
  document.querySelectorAll("#head [data-panel]").forEach((button) => button.removeAttribute("aria-current"));
  const { turn, number } = part("panel").dataset;
  conversation.querySelectorAll("button.number").forEach((button) => {
    const current = button.closest(".turn").id === turn && button.dataset.number === number;
    if (current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
}

function cover(covered) {
  document.body.classList.toggle("reading", covered);
  ["head", "turns", "ask"].forEach((id) => (part(id).inert = covered));
}

// On a narrow screen the panel slides over the conversation; the browser's Back closes it, as readers expect there.
function open() {
  if (!narrow.matches || document.body.classList.contains("reading")) return;
  cover(true);
  history.pushState({ reading: true }, "");
  part("close").focus({ preventScroll: true });
}

function shut() {
  if (!document.body.classList.contains("reading")) return;
  cover(false);
  origin?.focus();
}

// Closes the panel where it covers the page, and waits until the browser has.
function back() {
  if (!document.body.classList.contains("reading")) return Promise.resolve();
  const closed = new Promise((told) => window.addEventListener("popstate", told, { once: true }));
  history.back();
  return closed;
}

function stop() {
  awaited = begun;
  conversation.querySelectorAll('.turn[aria-busy="true"]').forEach((turn) => {
    turn.dataset.stopped = "true";
    turn.setAttribute("aria-busy", "false");
    const progress = turn.querySelector(".progress");
    if (progress) progress.textContent = "Stopped.";
    settle(turn);
  });
}

watch("value", update);
next();
if (location.hash.startsWith("#conversation=")) restore(location.hash.slice("#conversation=".length));
document.addEventListener("restore", ({ detail }) => restore(detail));
document.addEventListener("reading", open);
// A reader who was faster than this script keeps the place that was chosen.
if (!narrow.matches && document.activeElement === document.body) document.querySelector("#box textarea")?.focus();
window.addEventListener("popstate", shut);
narrow.addEventListener("change", shut);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("reading")) history.back();
});
// One question at a time: while an answer grows, nothing is sent, but the next question can be typed.
function submit(event) {
  const text = document.querySelector("#box textarea").value;
  const busy = begun < awaited || conversation.querySelector('.turn[aria-busy="true"]');
  if (text.trim() && !busy) return listen(text);
  event.preventDefault();
  event.stopImmediatePropagation();
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && event.target.closest("#box textarea")) submit(event);
}, true);
document.addEventListener("click", (event) => {
  if (event.target.closest("#box .submit-button")) submit(event);
}, true);
document.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target) return;
  if (target.matches(".example")) {
    conversation.querySelectorAll(".example").forEach((example) => (example.disabled = true));
    put(target.textContent);
  }
  if (target.id === "anew") {
    leave();
    document.querySelector("#box textarea").focus();
  }
  if (target.matches(".stop-button")) stop();
  if (target.id === "close") history.back();
  if (target.matches("button.number, button.dot")) {
    show(target, target.closest(".turn")?.id ?? part("panel").dataset.turn);
    open();
  }
});
