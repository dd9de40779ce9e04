"use strict";
// Draws the questions, a page of them at a time. Texts only ever become text nodes: nothing here makes markup of them.
(() => {
  const AT_ONCE = 50;
  const SHORT = 300;
  const NAME = 60;
  const NEEDLES = 40;
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const body = find("table").tBodies[0];
  const numbered = data.questions.map((asked, place) => ({ asked, place }));
  const state = { words: "", kind: null, outcomes: new Set(), measure: data.measures[0], sort: null, falling: false, first: 0, open: null };
  let met = numbered;

  const make = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
    made.append(...children.flat().filter((child) => child !== null));
    return made;
  };
  const button = (attributes, act, ...children) => {
    const made = make("button", { type: "button", ...attributes }, ...children);
    if (act) made.addEventListener("click", act);
    return made;
  };
  const written = (value, decimals) => (value === null || value === undefined ? "" : value.toLocaleString("en-GB", {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  }));
  const shortened = (text, limit = SHORT) => (text.length > limit ? `${text.slice(0, limit).trimEnd()}…` : text);
  const named = (outcome) => outcome.replaceAll(" ", "-");
  const link = (asked) => `#q=${encodeURIComponent(asked.id)}`;

  const day = (text) => {
    const known = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(NaN);
    if (Number.isNaN(known.getTime())) return text;
    return known.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  };
  const webAddress = (text) => {
    try {
      const url = new URL(text);
      const safe = ["http:", "https:"].includes(url.protocol) && url.hostname && !url.username && !url.password;
      return safe ? url.href : null;
    } catch {
      return null;
    }
  };

  // What is looked for, and what is marked.
  const haystack = (one) => {
    one.haystack ??= [
      one.asked.id, one.asked.question, one.asked.rewrite, one.asked.kind, one.asked.notice, ...one.asked.answers,
      ...one.asked.history.map(([, text]) => text), ...one.asked.sentences.map(([text]) => text),
      ...[...one.asked.citations, ...one.asked.nearest].map((passage) => data.articles[passage.article].slice(1, 3).join(" ")),
      ...one.asked.gold.map((number) => data.articles[number].slice(1, 3).join(" ")),
    ].join("\n").toLowerCase();
    return one.haystack;
  };
  const pattern = (needles) => {
    const wanted = needles.map((needle) => needle.trim()).filter((needle) => needle && needle.length <= SHORT);
    if (!wanted.length) return null;
    const escaped = wanted.sort((a, b) => b.length - a.length).slice(0, NEEDLES)
      .map((needle) => needle.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replace(/\s+/g, "\\s+"));
    return new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  };
  const marked = (text, wanted) => {
    const pieces = [];
    let position = 0;
    for (const found of wanted ? text.matchAll(wanted) : []) {
      pieces.push(text.slice(position, found.index), make("mark", {}, found[0]));
      position = found.index + found[0].length;
    }
    return [...pieces, text.slice(position)];
  };

  const measure = (asked) => (Object.hasOwn(asked.measures, state.measure) ? asked.measures[state.measure] : null);

  // The columns of the table.
  const columns = [
    { key: "question", name: "Question", class: "ask-column", value: ({ asked }) => asked.question.toLowerCase() },
    { key: "kind", name: "Kind", class: "kind", value: ({ asked }) => asked.kind, show: ({ asked }) => make("bdi", {}, shortened(asked.kind, NAME)) },
    {
      key: "outcome", name: "Outcome", class: "outcome-column", value: ({ asked }) => data.outcomes.indexOf(asked.outcome),
      show: ({ asked }) => make("span", { class: `outcome ${named(asked.outcome)}` }, asked.outcome),
    },
    { key: "likelihood", name: "Sure", label: "sure", class: "number-column", value: ({ asked }) => asked.likelihood, decimals: 2 },
    { key: "rank", name: "Gold rank", label: "gold rank", class: "number-column", value: ({ asked }) => asked.rank, decimals: 0 },
    { key: "measure", name: null, class: "number-column", value: ({ asked }) => measure(asked), decimals: 3 },
    { key: "milliseconds", name: "ms", label: "", class: "number-column ms", value: ({ asked }) => asked.milliseconds, decimals: 0 },
  ].filter((column) => ["question", "kind", "outcome"].includes(column.key) || numbered.some((one) => column.value(one) !== null))
    .filter((column) => column.key !== "kind" || numbered.some((one) => one.asked.kind));

  const compare = (column) => (one, other) => {
    const [a, b] = [column.value(one), column.value(other)];
    if (a === null || b === null) return (a === null) - (b === null) || one.place - other.place;
    return (state.falling ? -1 : 1) * (a < b ? -1 : a > b ? 1 : 0) || one.place - other.place;
  };

  // Choosing.
  const choose = () => {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    const rest = numbered.filter((one) => (state.kind === null || one.asked.kind === state.kind)
      && words.every((word) => haystack(one).includes(word)));
    met = state.outcomes.size ? rest.filter((one) => state.outcomes.has(one.asked.outcome)) : rest;
    const column = columns.find((known) => known.key === state.sort);
    if (column) met = [...met].sort(compare(column));
    drawChips(rest);
    state.first = 0;
    draw();
  };
  const drawChips = (rest) => {
    const counts = new Map(data.outcomes.map((outcome) => [outcome, 0]));
    for (const { asked } of rest) counts.set(asked.outcome, counts.get(asked.outcome) + 1);
    for (const chip of find("outcome-chips").children) {
      chip.setAttribute("aria-pressed", state.outcomes.has(chip.dataset.outcome));
      chip.lastChild.textContent = written(counts.get(chip.dataset.outcome), 0);
    }
  };

  // Drawing the table.
  const draw = () => {
    drawHead();
    body.replaceChildren(...met.slice(state.first, state.first + AT_ONCE).flatMap(rows));
    const all = written(numbered.length, 0);
    find("shown").textContent = met.length === numbered.length ? `${all} question${numbered.length === 1 ? "" : "s"}`
      : `${written(met.length, 0)} of ${all} questions${met.length ? "" : ". Take away a word or a filter."}`;
    drawPager();
  };
  const drawHead = () => {
    const cells = columns.map((column) => {
      const sorted = state.sort === column.key ? (state.falling ? "descending" : "ascending") : null;
      const name = make("bdi", {}, shortened(column.name ?? state.measure, NAME));
      return make("th", { scope: "col", class: column.class, "aria-sort": sorted }, button({}, () => sortBy(column.key), name));
    });
    const row = find("table").tHead.rows[0];
    const at = [...row.children].findIndex((cell) => cell.contains(document.activeElement));
    row.replaceChildren(...cells);
    if (at >= 0) cells[at].firstChild.focus();
  };
  const sortBy = (key) => {
    if (state.sort !== key) [state.sort, state.falling] = [key, false];
    else if (!state.falling) state.falling = true;
    else [state.sort, state.falling] = [null, false];
    choose();
  };
  const rows = (one) => {
    const open = state.open === one;
    const ask = button({ class: "ask", "aria-expanded": open, dir: "auto" }, null, shortened(one.asked.question) || "(no words)");
    const cells = columns.slice(1).map((column) => make(
      "td", { class: column.class, "data-label": column.decimals === undefined ? null : column.label ?? shortened(state.measure, NAME) },
      column.show ? column.show(one) : written(column.value(one), column.decimals),
    ));
    const row = make("tr", { class: open ? "question open" : "question" }, make("td", {}, ask), cells);
    row.question = one;
    return open ? [row, make("tr", { class: "detail" }, make("td", { colspan: columns.length }, detail(one.asked)))] : [row];
  };
  const drawPager = () => {
    find("pager").hidden = met.length <= AT_ONCE;
    const last = Math.min(state.first + AT_ONCE, met.length);
    const go = (first) => () => {
      state.first = first;
      draw();
      find("questions").scrollIntoView();
    };
    find("pager").replaceChildren(
      button({ ...(state.first ? {} : { disabled: "" }) }, go(state.first - AT_ONCE), "‹ Previous"),
      make("span", {}, `${written(state.first + 1, 0)} to ${written(last, 0)} of ${written(met.length, 0)}`),
      button({ ...(last < met.length ? {} : { disabled: "" }) }, go(state.first + AT_ONCE), "Next ›"),
    );
  };

  // Drawing one question.
  const detail = (asked) => {
    const wanted = pattern(asked.answers);
    const about = [asked.id, asked.date && `asked as of ${day(asked.date)}`].filter(Boolean).map((fact) => make("bdi", {}, fact));
    return [
      make("p", { class: "about" }, about, make("a", { href: link(asked) }, "Link to this question")),
      asked.question.length > SHORT ? make("p", { class: "sentence", dir: "auto" }, asked.question) : null,
      asked.history.length || asked.rewrite ? make("div", { class: "talk" }, talk(asked)) : null,
      make("div", { class: "sides" },
        make("section", { class: "side-card", "aria-label": "What was answered" }, answered(asked, wanted)),
        make("section", { class: "side-card", "aria-label": "What was wanted" }, expected(asked, wanted))),
    ];
  };
  const talk = (asked) => [
    ...asked.history.map(([role, text]) => make("p", { dir: "auto" }, make("b", {}, make("bdi", {}, role)), text)),
    ...(asked.rewrite ? [make("p", { dir: "auto" }, make("b", {}, "understood as"), asked.rewrite)] : []),
  ];
  const answered = (asked, wanted) => {
    const judged = make("h3", {}, make("span", { class: `outcome ${named(asked.outcome)}` }, asked.outcome),
      asked.likelihood === null ? null : ` · ${written(asked.likelihood, 2)} sure`);
    const said = asked.sentences.length ? asked.sentences.map((one) => sentence(one, asked, wanted)) : [refusal(asked)];
    return [
      judged, ...said, asked.notice ? make("p", { class: "notice", dir: "auto" }, asked.notice) : null,
      ...passages("What it cites", asked.citations, wanted), ...passages("What came nearest", asked.nearest, wanted),
    ];
  };
  const refusal = (asked) => {
    const how = asked.outcome === "refused rightly" ? "well" : asked.outcome === "refused wrongly" ? "badly" : "";
    const unasked = asked.outcome === "not judged" && !asked.notice && !asked.nearest.length;
    return make("p", { class: `refused ${how}` }, unasked ? "No answer was asked for." : "No answer was given.");
  };
  const sentence = ([text, numbers], asked, wanted) => make("p", { class: "sentence", dir: "auto" }, marked(text, wanted),
    numbers.length ? numbers.map((number) => reference(number, asked)) : make("span", { class: "unsourced" }, "no source"));
  const reference = (number, asked) => {
    const there = asked.citations.some((passage) => passage.number === number);
    if (!there) return make("span", { class: "number lost-number", title: "No such passage" }, String(number));
    return button({ class: "number", "aria-label": `Passage ${number}` }, (event) => pointAt(event.target, number), String(number));
  };
  const pointAt = (from, number) => {
    const all = [...from.closest(".side-card").querySelectorAll(".passage")];
    const passage = all.find((one) => one.dataset.number === String(number));
    for (const one of all) one.classList.toggle("current", one === passage);
    passage.scrollIntoView({ block: "nearest" });
    passage.focus({ preventScroll: true });
  };
  const passages = (title, found, wanted) => (found.length ? [make("h3", {}, title), ...found.map((one) => passage(one, wanted))] : []);
  const passage = (one, wanted) => {
    const badges = [
      one.gold ? make("span", { class: "badge gold" }, "gold article") : null,
      one.verbatim ? null : make("span", { class: "badge changed" }, "Not verbatim: the article does not say this"),
    ];
    return make("article", { class: "passage", tabindex: "-1", "data-number": one.number },
      make("div", { class: "head" }, make("span", { class: "number" }, String(one.number)), make("div", {}, ...headline(one.article), ...badges)),
      make("blockquote", { dir: "auto" }, marked(one.text, wanted)));
  };
  const headline = (number) => {
    const [id, title, source, date, url] = data.articles[number];
    const address = webAddress(url);
    const name = make("bdi", { class: "title" }, shortened(title || id || "Untitled"));
    const place = [source, day(date)].filter(Boolean).map((part) => make("bdi", {}, shortened(part)));
    const parts = place.flatMap((part, at) => (at ? [" · ", part] : [part]));
    return [
      address ? make("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, name) : name,
      make("small", { class: "place" }, parts),
    ];
  };
  const expected = (asked, wanted) => {
    const nothing = !asked.answers.length && !asked.gold.length && !asked.evidence.length;
    return [
      make("h3", {}, "What was wanted"),
      nothing ? make("p", { class: "wanted" }, asked.outcome === "not judged" ? "Nothing is known of the right answer." : "No answer: the archive does not hold one.") : null,
      asked.answers.length ? make("ul", { class: "wanted" }, asked.answers.map((text) => make("li", { dir: "auto" }, make("mark", {}, text)))) : null,
      ...(asked.evidence.length ? [make("h3", {}, "Because it is written"), ...asked.evidence.map((text) => make("p", { class: "evidence", dir: "auto" }, marked(text, wanted)))] : []),
      ...(asked.gold.length ? [make("h3", {}, found(asked)), ...asked.gold.map((number) => make("div", { class: "gold-article" }, headline(number)))] : []),
      ...measured(asked),
    ];
  };
  const found = (asked) => {
    const held = asked.gold.length === 1 ? "The article that holds it" : `The ${asked.gold.length} articles that hold it`;
    return asked.rank === null ? `${held}: not found` : `${held}: found at rank ${asked.rank}`;
  };
  const measured = (asked) => {
    const facts = Object.entries(asked.measures).filter(([, value]) => value !== null).map(([name, value]) => [name, written(value, 3)]);
    if (asked.milliseconds !== null) facts.push(["time", `${written(asked.milliseconds, 0)} ms`]);
    if (!facts.length) return [];
    return [make("h3", {}, "Measured"), make("p", { class: "about" }, facts.map(([name, value]) => make("span", {}, make("bdi", {}, name), ` ${value}`)))];
  };

  // Opening, and going from question to question.
  const toggle = (one) => {
    const from = rowOf(one)?.getBoundingClientRect().top;
    state.open = state.open === one ? null : one;
    history.replaceState(null, "", state.open ? link(one.asked) : "#questions");
    draw();
    const row = rowOf(one);
    row?.querySelector(".ask").focus({ preventScroll: true });
    // What was open above is closed now; the question stays where it was chosen.
    if (row && from !== undefined) window.scrollBy(0, row.getBoundingClientRect().top - from);
  };
  const rowOf = (one) => [...body.rows].find((row) => row.question === one);
  const step = (from, by) => {
    const at = met.indexOf(from) + by;
    if (at < 0 || at >= met.length) return;
    if (at < state.first || at >= state.first + AT_ONCE) {
      state.first = at - (at % AT_ONCE);
      draw();
    }
    rowOf(met[at]).querySelector(".ask").focus();
  };
  const follow = () => {
    if (!location.hash.startsWith("#q=")) return;
    let id;
    try {
      id = decodeURIComponent(location.hash.slice(3));
    } catch {
      return;
    }
    const one = numbered.find(({ asked }) => asked.id === id);
    if (!one) {
      find("shown").textContent = "The question of this link is not in this report.";
      return;
    }
    if (!met.includes(one)) clear();
    state.open = one;
    const at = met.indexOf(one);
    state.first = at - (at % AT_ONCE);
    draw();
    rowOf(one).scrollIntoView();
    rowOf(one).querySelector(".ask").focus({ preventScroll: true });
  };
  const clear = () => {
    Object.assign(state, { words: "", kind: null });
    state.outcomes.clear();
    find("words").value = "";
    find("kind").selectedIndex = 0;
    choose();
  };

  // Setting up what one chooses with.
  const kinds = [...new Set(data.questions.map((asked) => asked.kind))].sort();
  find("kind").append(make("option", {}, "all"), ...kinds.map((kind) => make("option", {}, shortened(kind, NAME) || "none")));
  find("kind-box").hidden = kinds.length < 2;
  find("kind").addEventListener("change", ({ target }) => {
    state.kind = target.selectedIndex ? kinds[target.selectedIndex - 1] : null;
    choose();
  });
  find("measure").append(...data.measures.map((name) => make("option", {}, shortened(name, NAME))));
  find("measure-box").hidden = data.measures.length < 2;
  find("measure").addEventListener("change", ({ target }) => {
    state.measure = data.measures[target.selectedIndex];
    choose();
  });
  const there = data.outcomes.filter((outcome) => data.questions.some((asked) => asked.outcome === outcome));
  find("outcome-chips").append(...there.map((outcome) => button({ "data-outcome": outcome }, () => {
    if (!state.outcomes.delete(outcome)) state.outcomes.add(outcome);
    choose();
  }, make("span", { class: `outcome ${named(outcome)}` }, outcome), make("b", {}))));
  find("words").addEventListener("input", ({ target }) => {
    state.words = target.value;
    choose();
  });

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr.question");
    if (row) toggle(row.question);
  });
  body.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.open) toggle(state.open);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !event.target.matches(".ask")) return;
    event.preventDefault();
    step(event.target.closest("tr").question, by);
  });
  find("words").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || !body.rows.length) return;
    event.preventDefault();
    body.querySelector(".ask").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    find("words").focus();
  });
  window.addEventListener("hashchange", follow);
  choose();
  follow();
})();
