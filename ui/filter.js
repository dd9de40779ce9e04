// The filter's script, called as chat.js is. The component's value is first what the archive offers, from narrowing.py,
// and then what the reader chose, which goes along with each question.

const part = (id) => element.querySelector(`#filter-${id}`);
const none = () => ({ outlets: [], authors: [], sections: [], languages: [], since: "", until: "", as_of: "" });
const written = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const day = (text) => written.format(new Date(text));
const said = {
  outlets: (name) => name, authors: (name) => `by ${name}`, sections: (name) => `section ${name}`,
  languages: (name) => `in ${name}`, since: (text) => `from ${day(text)}`, until: (text) => `until ${day(text)}`,
  as_of: (text) => `as of ${day(text)}`,
};
const same = (text) => text.trim().replace(/\s+/g, " ").toLowerCase();
const MOST_LISTED = 50; // of a thousand authors a list shows those that match what is typed
let names = {};
let chosen = none();

function offer() {
  if (!props.value?.names) return;
  const { first, last } = props.value;
  names = props.value.names;
  for (const input of inputs("text")) input.parentElement.hidden = !names[input.name].length;
  for (const input of inputs("date")) Object.assign(input, { min: first, max: last });
  part("days").hidden = !first;
  part("open").hidden = !first && !Object.values(names).flat().length;
  apply();
}

const inputs = (type) => [...part("fields").querySelectorAll("input")].filter((input) => input.type === type);

// Brings the page in step with what is chosen, and what is sent with the next question too.
function apply() {
  props.value = structuredClone(chosen);
  part("chosen").replaceChildren(...chips());
  for (const input of inputs("text")) {
    input.placeholder = chosen[input.name].length ? "or another" : "Any";
    list(input);
  }
  part("note").textContent = trouble();
}

// Says what does not work as it is: a name that is not there, or days between which there is none.
function trouble() {
  const unknown = inputs("text").find((input) => input.value.trim());
  if (unknown) return `“${unknown.value.trim()}” is part of ${list(unknown).length ? "more than one name" : "no name"} here. Choose one from the list.`;
  const last = [chosen.until, chosen.as_of].filter(Boolean).sort()[0];
  return last && chosen.since > last ? `No day lies ${said.since(chosen.since)} ${said.until(last)}. Change one of the two.` : "";
}

function chips() {
  const kept = Object.entries(chosen).flatMap(([field, value]) => [value].flat().filter(Boolean).map((name) => [field, name]));
  const shown = kept.map(([field, name]) => {
    const button = pill("chosen", said[field](name), () => remove(field, name));
    button.ariaLabel = `Remove filter: ${said[field](name)}`;
    return button;
  });
  if (shown.length > 1) shown.push(pill("clear", "Clear", clear));
  return shown.map((button) => {
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
}

function pill(kind, text, act) {
  const button = document.createElement("button");
  const label = document.createElement("bdi");
  label.textContent = text;
  Object.assign(button, { type: "button", className: `pill ${kind}` });
  button.append(label);
  button.addEventListener("click", act);
  return button;
}

function remove(field, name) {
  const place = [...part("chosen").querySelectorAll("button")].indexOf(document.activeElement);
  if (Array.isArray(chosen[field])) chosen[field] = chosen[field].filter((each) => each !== name);
  else chosen[field] = part(field).value = "";
  apply();
  const left = part("chosen").querySelectorAll("button");
  (left[Math.min(place, left.length - 1)] ?? part("open")).focus();
}

function clear() {
  chosen = none();
  for (const input of [...inputs("text"), ...inputs("date")]) input.value = "";
  apply();
  part("open").focus();
}

function list(input) {
  const typed = same(input.value);
  const left = names[input.name].filter((name) => !chosen[input.name].includes(name) && same(name).includes(typed));
  input.list.replaceChildren(...left.slice(0, MOST_LISTED).map((name) => new Option(name, name)));
  return left;
}

// Takes the name that is written in full, or the only one that contains what is written.
function choose(input) {
  const typed = same(input.value);
  const left = list(input);
  const name = left.find((each) => same(each) === typed) ?? (left.length === 1 ? left[0] : undefined);
  if (typed && name !== undefined) chosen[input.name].push(name);
  if (name !== undefined || chosen[input.name].some((each) => same(each) === typed)) input.value = "";
  apply();
}

function open(wanted) {
  part("open").ariaExpanded = String(wanted);
  part("fields").hidden = !wanted;
}

watch("value", offer);
offer();
part("open").addEventListener("click", () => open(part("fields").hidden));
document.addEventListener("asked", () => open(false));
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || part("fields").hidden) return;
  open(false);
  part("open").focus();
});
part("fields").addEventListener("input", ({ target, inputType }) => {
  if (target.type === "date") {
    // While a year is typed, the browser gives days of the years 2, 20 and 201.
    chosen[target.name] = target.value < "1400" ? "" : target.value;
    apply();
  } else if (list(target) && (inputType ?? "insertReplacementText") === "insertReplacementText") choose(target);
});
part("fields").addEventListener("change", ({ target }) => {
  if (target.type === "text") choose(target);
});
