// The page of all numbers: its rows can be sorted and filtered, and its numbers have addresses.
(() => {
  const made = (name, properties) => Object.assign(document.createElement(name), properties);
  const MOST_CHOICES = 12;

  // The number that a cell begins with, or NaN. A page writes a minus sign and thousands.
  const number = (text) => parseFloat(text.replace(/\u2212/g, "-").replace(/[,+]/g, ""));
  const order = (first, second) => {
    const [one, other] = [number(first), number(second)];
    if (isNaN(one) && isNaN(other)) return first.localeCompare(second);
    // What has no number comes last.
    return isNaN(one) ? 1 : isNaN(other) ? -1 : one - other;
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const title = head.textContent.trim();
      const button = made("button", { type: "button", className: "sort", textContent: "\u2195" });
      button.setAttribute("aria-label", `Sort by ${title}`);
      button.addEventListener("click", () => {
        // Numbers begin with the largest, words with the first of the alphabet.
        const first = head.classList.contains("text") ? "ascending" : "descending";
        const other = first === "ascending" ? "descending" : "ascending";
        const way = head.getAttribute("aria-sort") === first ? other : first;
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", way);
        const keyed = [...body.rows].map((row) => [row.cells[place].textContent.trim(), row]);
        keyed.sort(([one], [two]) =>
          way === "ascending" || isNaN(number(one)) !== isNaN(number(two))
            ? order(one, two)
            : order(two, one),
        );
        body.append(...keyed.map(([, row]) => row));
      });
      head.append(button);
    });
  };

  const filterable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const titles = heads.map((head) => head.textContent.trim());
    const rows = [...table.tBodies[0].rows].map((row) => {
      // The first line of a cell alone: the second has what is said of one row.
      const firsts = [...row.cells].map((cell) => (cell.querySelector("bdi") ?? cell).textContent);
      return {
        row,
        text: row.textContent.toLowerCase(),
        values: Object.fromEntries(firsts.map((text, place) => [titles[place], [text.trim()]])),
      };
    });
    const form = made("form", { className: "filters" });
    const field = (title, input) => {
      const label = made("label", { textContent: `${title} ` });
      label.append(input);
      form.append(label);
    };
    field("Search", made("input", { type: "search", name: "text", autocomplete: "off" }));
    heads.forEach((head, place) => {
      const values = [...new Set(rows.map((row) => row.values[titles[place]][0]))].sort();
      if (!place || !head.classList.contains("text") || values.length > MOST_CHOICES) return;
      const select = made("select", { name: titles[place] });
      select.append(made("option", { value: "", textContent: "all" }));
      const own = values.filter(Boolean).map((value) => made("option", { value, textContent: value }));
      select.append(...own);
      field(titles[place], select);
    });
    const all = `${rows.length} attributes`;
    const count = made("p", { className: "count", textContent: all });
    count.setAttribute("role", "status");
    form.addEventListener("input", () => show(rows, asked([...form.elements]), count, all));
    form.addEventListener("submit", (event) => event.preventDefault());
    table.closest(".scroll").before(form, count);
  };

  // The address of a number is that of its row, a colon, and its column. The script writes it into
  // the address bar, where people copy it.
  const addressed = (table) => {
    const columns = [...table.tHead.rows[0].cells].map((head) => head.dataset.at);
    const links = [...table.querySelectorAll("tbody tr[id]")].map((row, place) => {
      for (const cell of row.cells) {
        const column = columns[cell.cellIndex];
        if (column) cell.id = `${row.id}:${column}`;
      }
      const link = made("a", { className: "to", href: `#${row.id}`, textContent: "#" });
      link.setAttribute("aria-label", "Address of this row");
      // One stop a table for the key Tab; the arrow keys go on from there.
      link.tabIndex = place ? -1 : 0;
      row.cells[0].append(link);
      return link;
    });
    table.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const rows = [...table.querySelectorAll("tbody tr[id]")].filter((row) => !row.hidden);
      const next = rows[rows.findIndex((row) => row.contains(event.target)) + step];
      if (!step || !event.target.classList.contains("to") || !next) return;
      event.preventDefault();
      for (const link of links) link.tabIndex = -1;
      const link = next.querySelector(".to");
      link.tabIndex = 0;
      link.focus();
    });
    table.addEventListener("click", (event) => {
      const cell = event.target.closest("td[id]");
      if (!cell || event.target.closest("a") || getSelection().toString()) return;
      mark(cell);
      try {
        history.replaceState(null, "", `#${cell.id}`);
      } catch {
        // A page from the disk may not have its address changed everywhere.
      }
    });
  };

  const mark = (cell) => {
    for (const other of document.querySelectorAll(".at")) other.classList.remove("at");
    cell.classList.add("at");
  };

  // What an address leads to may be folded away, and a number has its address only now.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let fold = target; (fold = fold.parentElement?.closest("details")); ) fold.open = true;
    if (target.matches("td")) mark(target);
    target.scrollIntoView({ block: "center" });
  };

  for (const table of document.querySelectorAll("table")) addressed(table);
  for (const table of document.querySelectorAll("table.sortable")) {
    filterable(table);
    sortable(table);
  }
  addEventListener("hashchange", follow);
  follow();
})();
