// The card: what is shown of a source while its number is pointed at or focused. Runs in the scope of chat.js.

const card = document.createElement("div");
Object.assign(card, { id: "card", role: "tooltip", hidden: true });
document.body.append(card);
const SETTLED = 120; // milliseconds; a pointer that only crosses a number opens nothing
let pointed = null; // the number whose card is shown
let waiting = 0;

function lay(number) {
  const html = known[number.closest(".turn")?.id]?.cards[number.dataset.number];
  if (!html) return;
  pointed = number;
  card.innerHTML = html;
  card.hidden = false;
  number.setAttribute("aria-describedby", "card");
  const at = number.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const above = at.top - height - 6;
  card.style.top = `${above > 4 ? above : at.bottom + 6}px`;
  card.style.left = `${Math.max(8, Math.min(at.left - 24, innerWidth - width - 8))}px`;
}

function lift() {
  clearTimeout(waiting);
  pointed?.removeAttribute("aria-describedby");
  pointed = null;
  card.hidden = true;
}

conversation.addEventListener("pointerover", ({ target, pointerType }) => {
  const number = target.closest("button.number");
  if (!number || pointerType === "touch") return;
  clearTimeout(waiting);
  if (number !== pointed) waiting = setTimeout(() => lay(number), SETTLED);
});
conversation.addEventListener("pointerout", ({ target, relatedTarget }) => {
  if (target.closest("button.number") && relatedTarget !== card && !card.contains(relatedTarget)) lift();
});
card.addEventListener("pointerleave", lift);
conversation.addEventListener("focusin", ({ target }) => target.matches("button.number:focus-visible") && lay(target));
conversation.addEventListener("focusout", lift);
conversation.addEventListener("click", lift);
const scrolled = () => pointed && lift();
part("turns").addEventListener("scroll", scrolled, { passive: true });
document.addEventListener("scroll", scrolled, { passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") lift();
});
