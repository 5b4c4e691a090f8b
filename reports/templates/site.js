// Search and filters of the index: rows are shown or hidden, and the address remembers how.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const count = document.querySelector(".count");
  const all = count.textContent;
  const rows = [...document.querySelectorAll(".index tbody tr")].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    values: Object.fromEntries(Object.entries(row.dataset).map(([key, v]) => [key, v.split(" ")])),
  }));
  const fields = [...form.elements].filter((field) => field.name);

  const apply = () => {
    const wanted = asked(fields);
    show(rows, wanted, count, all);
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
