// What a page's scripts share: which rows fit what a reader asks for, and showing these alone.
"use strict";
// A row is { row, text, values }: its element, its words in small letters, and by name the values
// that a choice may ask for. Of words each has to be there; a choice asks for one value.
const fits = ({ text, values }, wanted) =>
  Object.entries(wanted).every(([name, value]) =>
    name === "text"
      ? value.toLowerCase().split(/\s+/).every((word) => text.includes(word))
      : values[name].includes(value),
  );

const asked = (fields) =>
  Object.fromEntries(
    fields.filter((field) => field.value.trim()).map((field) => [field.name, field.value.trim()]),
  );

const show = (rows, wanted, count, all) => {
  let shown = 0;
  for (const one of rows) {
    one.row.hidden = !fits(one, wanted);
    if (!one.row.hidden) shown += 1;
  }
  count.textContent = shown === rows.length ? all : `${shown} of ${all}`;
};
