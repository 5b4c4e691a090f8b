// Search and filters of the index: rows are shown or hidden, and the address remembers how.
"use strict";
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const count = document.querySelector(".count");
  const all = count.textContent;
  const rows = [...document.querySelectorAll(".index tbody tr")].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
  }));
  const fields = [...form.elements].filter((field) => field.name);

  const fits = ({ row, text }, wanted) =>
    Object.entries(wanted).every(([name, value]) =>
      name === "text"
        ? value.toLowerCase().split(/\s+/).every((word) => text.includes(word))
        : row.dataset[name].split(" ").includes(value),
    );

  const apply = () => {
    const wanted = Object.fromEntries(
      fields.filter((field) => field.value.trim()).map((field) => [field.name, field.value.trim()]),
    );
    let shown = 0;
    for (const one of rows) {
      one.row.hidden = !fits(one, wanted);
      if (!one.row.hidden) shown += 1;
    }
    count.textContent = shown === rows.length ? all : `${shown} of ${all}`;
    const query = new URLSearchParams(wanted).toString();
    try {
      history.replaceState(null, "", query ? `#?${query}` : location.pathname + location.search);
    } catch {
      // A page from the disk may not have its address changed everywhere.
    }
  };

  const read = () => {
    if (!location.hash.startsWith("#?")) return;
    const told = new URLSearchParams(location.hash.slice(2));
    for (const field of fields) field.value = told.get(field.name) ?? "";
    apply();
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  read();
})();
