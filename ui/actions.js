// What can be done with an answer: copy it with its sources, ask again, edit the question, say whether it is right. Runs
// in the scope of chat.js.

const acts = { copy, again, edit, right: (turn, button) => judge(turn, button), wrong: (turn, button) => judge(turn, button) };

async function copy(turn, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(known[turn.id].text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Your browser does not let this page copy";
  }
  setTimeout(() => (button.textContent = label), 2000);
}

function again(turn) {
  replace(turn);
  put(known[turn.id].question);
}

function edit(turn) {
  const box = document.querySelector("#box textarea");
  replace(turn);
  type(box.value, known[turn.id].question);
  box.focus();
  box.select();
}

// The next answer takes the place of this one; until it begins, this one can still be read.
function replace(turn) {
  turn.classList.add("replaced");
  next(turn.dataset.name);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !conversation.querySelector(".turn.replaced")) return;
  conversation.querySelectorAll(".turn.replaced").forEach((turn) => turn.classList.remove("replaced"));
  next();
});

conversation.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-act]");
  if (button) acts[button.dataset.act](button.closest(".turn"), button);
});

// What a reader copies by hand carries the sources of the numbers in it.
conversation.addEventListener("copy", (event) => {
  const selection = getSelection();
  const numbers = [...conversation.querySelectorAll(".number")].filter((number) => selection.containsNode(number, true));
  const sources = new Set(numbers.map((number) => known[number.closest(".turn").id].notes[number.dataset.number]));
  sources.delete(undefined);
  if (!sources.size) return;
  event.preventDefault();
  event.clipboardData.setData("text/plain", `${selection}\n\n${[...sources].join("\n")}`);
});

// Feedback

const given = (turn, more = {}) => ({ answer: turn.dataset.name, verdict: "", word: "", missed: "", ...more });

async function judge(turn, button) {
  const verdict = button.dataset.act;
  turn.querySelectorAll(".verdict button").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
  turn.querySelector(".feedback")?.remove();
  const form = feedbackForm(turn, verdict);
  turn.append(form);
  form.querySelector("input").focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
  await send(form, given(turn, { verdict }), "Noted. You can add to it:");
}

async function send(form, feedback, told) {
  const note = form.querySelector("[role=status]");
  try {
    const response = await fetch("/desk/feedback", { method: "POST", body: JSON.stringify(feedback) });
    note.textContent = response.ok ? told : await response.text();
  } catch {
    note.textContent = "This could not be noted: Onrecord does not reply.";
  }
}

function feedbackForm(turn, verdict) {
  const form = document.createElement("form");
  form.className = "feedback";
  form.innerHTML = `<p role="status"></p><label>A word on it <input name="word" maxlength="2000" autocomplete="off"></label>
    ${verdict === "wrong" ? '<label>This article should have been found <input name="find" type="search" maxlength="300" autocomplete="off" placeholder="Words of its headline"></label><div class="listed"></div>' : ""}
    <button type="submit" class="pill">Send</button>`;
  let missed = "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, given(turn, { verdict, word: form.elements.word.value, missed }), "Noted, thank you.");
  });
  const find = form.elements.find;
  let waits = 0;
  find?.addEventListener("input", () => {
    clearTimeout(waits);
    missed = "";
    waits = setTimeout(() => suggest(form, find.value), 250);
  });
  form.addEventListener("click", ({ target }) => {
    const picked = target.closest("[data-pick]");
    if (!picked) return;
    missed = picked.dataset.pick;
    find.value = picked.querySelector("b").textContent;
    form.querySelector(".listed").replaceChildren();
    send(form, given(turn, { verdict, word: form.elements.word.value, missed }), "Noted, thank you.");
  });
  return form;
}

async function suggest(form, query) {
  try {
    const response = await fetch(`/desk/articles?${new URLSearchParams({ pick: true, query })}`);
    if (response.ok && form.elements.find.value === query) form.querySelector(".listed").innerHTML = await response.text();
  } catch {
    form.querySelector("[role=status]").textContent = "Articles cannot be looked up: Onrecord does not reply.";
  }
}
