// The traces of a report: which one and which step is in the page's address, all text is set as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const SYMBOLS = { VIOLATED: "✗", UNREACHABLE: "✗", UNKNOWN: "?", HOLDS: "✓", REACHABLE: "✓" };
  const ROLES = {
    data: "Variables",
    group: "Groups",
    lock: "Locks",
    location: "Where each process stands",
    budget: "Faults",
  };

  /** The trace that is shown: {configuration, verdict, trace, states, at}; null while the matrix is. */
  let shown = null;

  // ---- building the page: properties are set, children are nodes or text -----------------------------------------

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child !== ""));
    return element;
  };

  const draw = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  const code = (text) => make("code", {}, text);
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const title = (step) => (step.faults.length ? "FAULT " : "") + step.title;

  // ---- traces ----------------------------------------------------------------------------------------------------

  /** Every state of a trace, as words by slot. */
  function statesOf(trace) {
    const states = [trace.first];
    for (const [, changes] of trace.steps) {
      const after = [...states.at(-1)];
      for (const [slot, word] of changes) after[slot] = word;
      states.push(after);
    }
    return states.map((state) => state.map((word) => data.words[word]));
  }

  /** [name of the slot, value before, value after] of each change. */
  const changesOf = (changes, before) =>
    changes.map(([slot, word]) => [shown.configuration.slots[slot][0], before[slot], data.words[word]]);

  const arrow = ([slot, before, after]) => `${slot}: ${before} → ${after}`;

  /** The step that leads to state `at`; none leads to the first. */
  const stepTo = (at) => (at > 0 ? data.steps[shown.trace.steps[at - 1][0]] : null);

  /** What state `at` is called: after the step that leads to it. */
  const called = (at) => (at > 0 ? title(stepTo(at)) : "Initial state");

  /** Where a run without end goes after state `at`, in words. */
  function onwards(at) {
    const { trace, states } = shown;
    if (at < states.length - 1) return "";
    if (trace.loop === null) return "The trace ends here.";
    return trace.loop === at
      ? "Nobody has to move from here on."
      : `From here it goes back to state ${trace.loop}, for ever.`;
  }

  // ---- the address: #configuration/property/step -----------------------------------------------------------------

  const address = (at = shown.at) => `#${shown.configuration.slug}/${shown.verdict.slug}/${at}`;

  function route() {
    const [slug, property, number = "0"] = location.hash.slice(1).split("/");
    const configuration = data.configurations.find((each) => each.slug === slug);
    const verdict = configuration?.verdicts.find((each) => each.slug === property);
    $("notice").hidden = slug === "" || verdict !== undefined;
    $("notice").textContent = `This file has no trace ${location.hash}`;
    if (verdict === undefined) showMatrix();
    else showTrace(configuration, verdict, Number.parseInt(number, 10) || 0);
  }

  function showMatrix() {
    const from = shown && document.querySelector(`#verdicts a[href="${address(0)}"]`);
    shown = null;
    $("trace").hidden = true;
    $("matrix").hidden = false;
    document.title = `cprcheck: ${document.querySelector("#matrix h1").textContent}`;
    from?.focus();
  }

  function showTrace(configuration, verdict, at) {
    if (shown?.verdict !== verdict) {
      const trace = data.traces[verdict.trace];
      shown = { configuration, verdict, trace, states: statesOf(trace), at };
      $("matrix").hidden = true;
      $("trace").hidden = false;
      document.title = `${verdict.name}: ${configuration.title}`;
      window.scrollTo(0, 0);
      fillHead();
      fillSteps();
      fillGraph();
      fillLadder();
      $("name").focus({ preventScroll: true });
    }
    goTo(at);
  }

  /** Show state `at`, or the nearest there is. */
  function goTo(at) {
    shown.at = Math.max(0, Math.min(at, shown.states.length - 1));
    if (location.hash !== address()) history.replaceState(null, "", address());
    const last = shown.states.length - 1;
    $("position").textContent = `step ${shown.at} of ${last}`;
    $("first").disabled = $("previous").disabled = shown.at === 0;
    $("last").disabled = $("next").disabled = shown.at === last;
    markCurrent();
    fillStep();
    fillState();
    fillElse();
  }

  // ---- what stays while one steps through a trace ----------------------------------------------------------------

  function fillHead() {
    const { configuration, verdict } = shown;
    const tone = verdict.status === "REACHABLE" ? "good" : "bad";
    const status = make("span", { className: `status ${tone}` }, `${SYMBOLS[verdict.status]} ${verdict.status}`);
    $("name").replaceChildren(status, " ", code(verdict.name));
    $("claim").textContent = verdict.claim;
    const where = verdict.where.map(([slot, value]) => `${slot} = ${value}`).join(", ");
    tell($("facts"), [
      ["violated", verdict.violated && code(verdict.violated)],
      ["where", where && code(where)],
      ["severity", verdict.severity && make("b", {}, verdict.severity)],
      ["scope", configuration.scope.join("; ")],
    ]);
    tell($("more").querySelector("dl"), [
      ["in", code(configuration.title)],
      ["found", [verdict.basis, verdict.engines.join(", ")].filter(Boolean).join("; ")],
      ["claimed", verdict.claimed && code(verdict.claimed)],
      ["again", verdict.again && code(verdict.again)],
    ]);
    const options = configuration.verdicts.map((each) =>
      make("option", { value: each.slug, selected: each === verdict }, each.name),
    );
    $("which").replaceChildren(...options);
  }

  /** Fill a list of facts with those that there are. */
  function tell(list, facts) {
    const known = facts.filter(([, fact]) => fact);
    list.replaceChildren(...known.map(([name, fact]) => make("div", {}, make("dt", {}, name), make("dd", {}, fact))));
  }

  function fillSteps() {
    const { trace, states } = shown;
    const items = states.map((_, at) => {
      const step = stepTo(at);
      const button = make("button", { type: "button", className: step?.faults.length ? "fault" : "" });
      button.append(make("span", { className: "at" }, String(at)), make("span", {}, called(at)));
      button.onclick = () => goTo(at);
      const notes = trace.loop === null ? [] : [onwards(at)];
      if (trace.loop === at && at < states.length - 1) notes.push("the loop starts here");
      return make("li", {}, button, ...notes.map((note) => note && make("span", { className: "loop" }, note)));
    });
    $("steps").replaceChildren(...items);
  }

  /** The neighbourhood: the trace from top to bottom, and beside each state where else one could have gone. */
  function fillGraph() {
    const { trace, states } = shown;
    const told = new Set();
    const items = states.flatMap((_, at) => {
      const node = make("button", { type: "button", className: "node", title: `state ${at}` }, String(at));
      node.onclick = () => goTo(at);
      const beside = trace.beside.filter(([from]) => from === at);
      const ways = beside.map(([, words, to]) => {
        const changed = told.has(to) ? [] : (trace.others[to] ?? []);
        told.add(to);
        const said = make("div", {}, words.join("; "), make("div", { className: "way" }, changed.join("; ")));
        return make("li", { className: "beside" }, make("span", { className: "node" }, String(to)), said);
      });
      return [make("li", { className: "state" }, node, make("div", {}, called(at))), ...ways];
    });
    const more = count(trace.left_out, "more step");
    if (trace.left_out) items.push(make("li", {}, `${more} beside the trace, not drawn`));
    $("graph").replaceChildren(...items);
  }

  function fillLadder() {
    const drawn = ([tag, attributes, text, ...inside]) => draw(tag, attributes, text, ...inside.map(drawn));
    const { attributes, shapes } = shown.verdict.picture;
    const picture = draw("svg", attributes, ...shapes.map((number) => drawn(data.shapes[number])));
    [...picture.querySelectorAll(".step")].forEach((group, at) => group.addEventListener("click", () => goTo(at)));
    $("ladder").replaceChildren(picture);
  }

  // ---- what changes with each step -------------------------------------------------------------------------------

  function markCurrent() {
    const buttons = [...$("steps").querySelectorAll("button")];
    buttons.forEach((button, at) =>
      at === shown.at ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current"),
    );
    [...$("graph").querySelectorAll(".state")].forEach((item, at) => item.classList.toggle("current", at === shown.at));
    if ($("steps").contains(document.activeElement)) buttons[shown.at].focus({ preventScroll: true });
    const [list, current] = [$("steps").getBoundingClientRect(), buttons[shown.at].getBoundingClientRect()];
    if (current.top < list.top) $("steps").scrollTop -= list.top - current.top;
    if (current.bottom > list.bottom) $("steps").scrollTop += current.bottom - list.bottom;
    const groups = [...$("ladder").querySelectorAll(".step")];
    groups.forEach((group, at) => group.classList.toggle("current", at === shown.at));
    if (!$("ladder").hidden) groups[shown.at].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function fillStep() {
    const { at, trace, states, verdict } = shown;
    const step = stepTo(at);
    const wrong = at === states.length - 1 && verdict.violated ? `✗ ${verdict.violated}` : "";
    const heading = make("h2", {}, `${at}. ${called(at)}`);
    const changes = step ? changesOf(trace.steps[at - 1][1], states[at - 1]) : [];
    const lists = step && [
      ["faults", step.faults],
      ["choices", step.choices.map(([question, answer]) => `${question}: ${answer}`)],
      ["events", step.events],
      ["changes", changes.map(arrow)],
      ["functions", step.functions.length ? [step.functions.join(", ")] : []],
      ["lines", step.sources.length ? [step.sources.join("; ")] : []],
    ];
    const rows = (lists ?? []).filter(([, items]) => items.length);
    const pairs = rows.flatMap(([name, items]) => [
      make("dt", {}, name),
      ...items.map((item) => make("dd", { className: name }, item)),
    ]);
    const end = onwards(at);
    const notes = [make("p", { className: "loop" }, end), make("p", { className: "ending" }, wrong)];
    $("step").replaceChildren(heading, make("dl", {}, ...pairs), ...notes.filter((note) => note.textContent));
    const said = changes.map(([slot, before, after]) => `${slot}: ${before} to ${after}`).join("; ");
    $("live").textContent = `Step ${at} of ${states.length - 1}: ${called(at)}. ${said} ${end} ${wrong}`;
  }

  function fillState() {
    const { at, states, configuration } = shown;
    const [before, now] = [states[at - 1], states[at]];
    const body = $("slots").tBodies[0];
    body.replaceChildren();
    for (const [role, heading] of Object.entries(ROLES)) {
      const slots = configuration.slots.map(([slot, is], index) => [slot, is, index]).filter(([, is]) => is === role);
      const head = make("th", { colSpan: 3, scope: "colgroup" }, heading);
      if (slots.length) body.append(make("tr", { className: "role" }, head));
      for (const [slot, , index] of slots) {
        const changed = before !== undefined && before[index] !== now[index];
        const mark = changed ? make("span", { className: "mark", title: "changed" }, "●") : "";
        const row = make("tr", { className: changed ? "changed" : "same" }, make("th", { scope: "row" }, mark, slot));
        row.append(make("td", {}, now[index]), make("td", {}, changed ? make("s", {}, before[index]) : ""));
        body.append(row);
      }
    }
  }

  /** Steps with the same title are told once; those that lead back into the trace say where. */
  function fillElse() {
    const { at, trace, states } = shown;
    const end = at === states.length - 1;
    const folded = new Map();
    for (const [number, changes, to] of trace.else[at]) {
      const step = data.steps[number];
      const said = title(step) + (to === at ? " (changes nothing)" : to >= 0 ? ` → state ${to}` : "");
      const way = [...step.faults, ...changesOf(changes, states[at]).map(arrow)].join("; ");
      folded.set(said, [...(folded.get(said) ?? []), way]);
    }
    const items = [...folded].map(([said, ways]) => {
      const several = ways.length > 1 ? ` (${count(ways.length, "way")})` : "";
      return make("li", {}, said, several, ...ways.map((way) => make("div", { className: "way" }, way)));
    });
    const head = end ? onwards(at) : `In state ${at} the trace goes on with “${called(at + 1)}”.`;
    const rest = items.length ? "What else could happen there:" : "Nothing else could happen there.";
    $("else").replaceChildren(make("p", {}, `${head} ${rest}`), make("ul", {}, ...items));
  }

  // ---- what people do --------------------------------------------------------------------------------------------

  function selectTab(tab) {
    for (const each of $("tabs").children) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      $(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
  }

  const tabAt = (number) => $("tabs").children[number];

  function turnTheme() {
    const root = document.documentElement;
    const usual = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme ?? usual) === "dark" ? "light" : "dark";
  }

  /** Hide the rows and columns that lack one of the words. */
  function filter() {
    const words = (field) => (field?.value ?? "").toLowerCase().split(/\s+/);
    const lacks = (text, field) => !words(field).every((word) => text.toLowerCase().includes(word));
    const [{ cells: names }] = $("verdicts").rows;
    const rows = [...$("verdicts").tBodies[0].rows];
    const gone = [...names].map((cell, at) => at > 0 && lacks(cell.dataset.find, $("columns")));
    for (const row of $("verdicts").rows) [...row.cells].forEach((cell, at) => (cell.hidden = gone[at]));
    for (const row of rows) {
      const seen = [...row.cells].filter((cell) => !cell.hidden).map((cell) => cell.textContent);
      row.hidden = lacks(seen.join(" "), $("rows"));
    }
    const left = rows.filter((row) => !row.hidden).length;
    $("left").textContent = left < rows.length ? `${left} of ${rows.length} properties` : "";
  }

  const leadTo = (place) => () => (location.hash = place());
  const forward = () => goTo(shown.at + 1);
  const back = () => goTo(shown.at - 1);
  const STEPPING = {
    ArrowRight: forward,
    ArrowDown: forward,
    j: forward,
    ArrowLeft: back,
    ArrowUp: back,
    k: back,
    Home: () => goTo(0),
    End: () => goTo(shown.states.length - 1),
    Escape: leadTo(() => ""),
    1: () => selectTab(tabAt(0)),
    2: () => selectTab(tabAt(1)),
    3: () => selectTab(tabAt(2)),
    c: () => $("only").click(),
  };
  const ALWAYS = {
    t: turnTheme,
    "?": () => $("help").showModal(),
    "/": () => shown || $("rows").focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || $("help").open) return;
    const typing = event.target.matches("input[type=search], select");
    const inTabs = event.target.matches("[role=tab]") && event.key.startsWith("Arrow");
    const action = ALWAYS[event.key] ?? (shown ? STEPPING[event.key] : null);
    if (!action || inTabs || (typing && event.key !== "Escape")) return;
    event.preventDefault();
    action();
  });

  $("tabs").addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const tabs = [...$("tabs").children];
    const tab = tabs.at((tabs.indexOf(event.target) + move) % tabs.length);
    selectTab(tab);
    tab.focus();
  });
  for (const tab of $("tabs").children) tab.onclick = () => selectTab(tab);
  $("first").onclick = STEPPING.Home;
  $("previous").onclick = back;
  $("next").onclick = forward;
  $("last").onclick = STEPPING.End;
  $("theme").onclick = turnTheme;
  $("keys").onclick = ALWAYS["?"];
  $("only").onchange = () => $("slots").classList.toggle("only-changed", $("only").checked);
  $("which").onchange = leadTo(() => `#${shown.configuration.slug}/${$("which").value}/0`);
  for (const id of ["rows", "columns"]) $(id)?.addEventListener("input", filter);
  $("filters").onsubmit = (event) => event.preventDefault();
  $("filters").hidden = false;
  $("more").open = matchMedia("(min-width: 761px)").matches;
  window.addEventListener("hashchange", route);
  route();
})();
