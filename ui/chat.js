// The page's script. Gradio calls it once as a function of (element, trigger, props, server, upload, watch), where
// element is the conversation. It holds the conversation: each update brings one turn, made by rendering.py. Between
// them the component's value is what was said, which goes along with the next question.

const conversation = element.querySelector("#conversation");
const narrow = matchMedia("(max-width: 860px)");
const sources = {}; // turn id -> citation number -> HTML of the panel
const written = new WeakMap(); // node -> the HTML it was made from
const part = (id) => document.getElementById(id);
const MOST_SAID = 6; // as rag/conversation.py reads
let said = []; // the last questions that were answered, with their answers
let origin = null; // the number that was chosen last

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
  const turn = document.createElement("section");
  turn.id = id;
  turn.className = "turn";
  part("welcome")?.remove();
  part("silence")?.remove();
  conversation.append(turn);
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

// Says so when a question brings no turn: a page that outlived its server gets no answer until it is loaded again.
function listen() {
  const heard = conversation.querySelectorAll(".turn").length;
  setTimeout(() => {
    if (conversation.querySelectorAll(".turn").length > heard || part("silence")) return;
    const note = document.createElement("p");
    note.id = "silence";
    note.className = "problem";
    note.textContent = "Onrecord has not replied yet. If it was restarted, reload this page.";
    conversation.append(note);
    note.scrollIntoView({ block: "nearest" });
  }, 10000);
}

function update() {
  const { id, question, html, sources: found, done, refused, said: answered } = props.value ?? {};
  if (!id) return;
  if (part(id)?.dataset.stopped) return keep();
  const known = part(id);
  const turn = known ?? begin(id);
  if (!known) type(question, "");
  if (refused) type("", question);
  write(turn, html);
  sources[id] = found;
  turn.setAttribute("aria-busy", String(!done));
  if (!known && turn.previousElementSibling) turn.scrollIntoView({ block: "start" });
  if (!done) return;
  keep(answered);
  settle(turn);
}

// Brings what goes along with the next question in step with what was said; a stopped or failed turn adds nothing.
function keep(answered) {
  if (answered) said = [...said, answered].slice(-MOST_SAID);
  props.value = structuredClone(said);
}

// The finished answer's first source is shown beside it, unless the reader has already chosen one of this answer's.
function settle(turn) {
  if (origin?.closest(".turn") === turn && origin.isConnected) return mark();
  const first = turn.querySelector(".sentence button.number");
  if (first) show(first, turn.id);
  else clear(turn);
}

function show(number, id) {
  const panel = part("panel");
  origin = number.closest(".turn") ? number : part(id).querySelector(`[data-number="${number.dataset.number}"]`) ?? origin;
  part("shown").innerHTML = sources[id][number.dataset.number];
  panel.dataset.turn = id;
  panel.dataset.number = number.dataset.number;
  mark();
  panel.scrollTop = 0;
  const cited = panel.querySelector("mark.selected")?.getBoundingClientRect();
  const top = panel.getBoundingClientRect().top;
  if (cited?.bottom > top + panel.clientHeight * 0.8) panel.scrollTop = cited.top - top - panel.clientHeight / 3;
}

function clear(turn) {
  const panel = part("panel");
  const nearest = turn.querySelector("button.number") ? "Choose a number to read what comes nearest." : "";
  delete panel.dataset.turn;
  part("shown").innerHTML = `<p class="empty">This answer has no source to show. ${nearest}</p>`;
  mark();
}

// Shows in the conversation which number the panel belongs to.
function mark() {
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

function stop() {
  conversation.querySelectorAll('.turn[aria-busy="true"]').forEach((turn) => {
    turn.dataset.stopped = "true";
    turn.setAttribute("aria-busy", "false");
    const progress = turn.querySelector(".progress");
    if (progress) progress.textContent = "Stopped.";
    settle(turn);
    keep();
  });
}

watch("value", update);
// A reader who was faster than this script keeps the place that was chosen.
if (!narrow.matches && document.activeElement === document.body) document.querySelector("#box textarea")?.focus();
window.addEventListener("popstate", shut);
narrow.addEventListener("change", shut);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("reading")) history.back();
});
// One question at a time: while an answer grows, Enter does not send, but the next question can be typed.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || !event.target.closest("#box textarea")) return;
  if (!conversation.querySelector('.turn[aria-busy="true"]')) {
    if (event.target.value.trim()) listen();
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target) return;
  if (target.matches(".example")) {
    conversation.querySelectorAll(".example").forEach((example) => (example.disabled = true));
    listen();
    trigger("click", { question: target.textContent });
  }
  if (target.matches(".submit-button") && document.querySelector("#box textarea").value.trim()) listen();
  if (target.matches(".stop-button")) stop();
  if (target.id === "close") history.back();
  if (target.matches("button.number")) {
    show(target, target.closest(".turn")?.id ?? part("panel").dataset.turn);
    open();
  }
});
