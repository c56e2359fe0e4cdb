// Offers, for each condition of a rule, the operators and the kind of value that suit its field. The line of text stays
// what is sent, and can be typed where this script does not run.
(() => {
  "use strict";

  let catalogue;
  let lists = 0;

  // --- A line of values, as the server reads it: commas between, quotes around what has a comma ---------------

  const quote = (part) => (/[",]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part);
  const join = (parts) => parts.filter((part) => part !== "").map(quote).join(", ");

  function split(text) {
    const parts = [];
    for (const [, quoted, plain] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)) {
      parts.push((quoted === undefined ? plain : quoted.replaceAll('""', '"')).trim());
    }
    return [...new Set(parts.filter(Boolean))];
  }

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // --- One row --------------------------------------------------------------------------------------------------

  class Row {
    constructor(row) {
      this.field = row.querySelector("select[name$='-field']");
      this.operator = row.querySelector("select[name$='-operator']");
      this.text = row.querySelector("input[name$='-value']");
      this.operators = [...this.operator.options];
      this.label = this.text.getAttribute("aria-label") || "Value";
      this.place = element("div", { className: "condition-value" });
      this.text.after(this.place);
      this.field.addEventListener("change", () => this.fieldChosen());
      this.operator.addEventListener("change", () => this.show());
      this.offerOperators(this.operator.value);
      this.show();
    }

    get about() {
      return catalogue.fields[this.field.value];
    }

    fieldChosen() {
      const keep = this.about?.operators.includes(this.operator.value) ? this.operator.value : "";
      this.text.value = "";
      this.offerOperators(keep);
      this.show();
    }

    // One that does not fit stays visible as long as it is chosen: it is what was stored or sent.
    offerOperators(chosen) {
      const fitting = this.about?.operators;
      const shown = this.operators.filter(
        ({ value }) => value === "" || !fitting || fitting.includes(value) || value === chosen,
      );
      this.operator.replaceChildren(...shown);
      this.operator.value = chosen;
    }

    show() {
      const argument = catalogue.operators[this.operator.value]?.argument;
      const editor = argument && this.about ? this.editor(argument) : null;
      this.text.hidden = editor !== null;
      this.place.replaceChildren(...(editor || []));
    }

    // The inputs for a value; null where the line of text is the best there is.
    editor(argument) {
      const { type, options, closed } = this.about;
      if (argument === "none") {
        this.text.value = "";
        return [];
      }
      if (argument === "pair") return this.pair(type);
      if (argument === "many" || argument === "territories") return options.length ? this.checklist(options, closed) : null;
      if (argument === "pattern") return null;
      if (type === "boolean") return [this.select([["yes", "Yes"], ["no", "No"]])];
      if (type === "number" || type === "date") return [this.input(type, this.label, this.text.value, (value) => value)];
      if (closed) return [this.select(options)];
      return options.length ? this.suggested(options) : null;
    }

    write(value) {
      this.text.value = value;
      this.text.dispatchEvent(new Event("change", { bubbles: true }));
    }

    input(type, label, value, line) {
      const made = element("input", { type, value, className: this.text.className, "aria-label": label });
      if (type === "number") made.step = "any";
      made.addEventListener("input", () => this.write(line(made.value)));
      return made;
    }

    pair(type) {
      const values = split(this.text.value);
      const write = () => join(inputs.map(({ value }) => value));
      const inputs = ["from", "to"].map((end, place) => this.input(type, `${this.label}, ${end}`, values[place] || "", write));
      return [inputs[0], element("span", {}, "and"), inputs[1]];
    }

    select(options) {
      const value = this.text.value;
      const known = options.some(([key]) => key === value);
      const extra = value && !known ? [[value, value]] : [];
      const choices = [["", "Select value"], ...extra, ...options].map(([key, name]) => element("option", { value: key }, name));
      const made = element("select", { className: this.operator.className, "aria-label": this.label }, ...choices);
      made.value = value;
      made.addEventListener("change", () => this.write(made.value));
      return made;
    }

    suggested(options) {
      const id = `condition-options-${++lists}`;
      const made = this.input("text", this.label, this.text.value, (value) => value);
      made.setAttribute("list", id);
      return [made, element("datalist", { id }, ...options.map(([key, name]) => element("option", { value: key }, name)))];
    }

    // Boxes to tick, with a filter above; beside closed lists, a line for values that are not on it.
    checklist(options, closed) {
      const chosen = new Set(split(this.text.value));
      const known = new Set(options.map(([key]) => key));
      const others = [...chosen].filter((value) => !known.has(value));
      const all = closed ? [...others.map((value) => [value, value]), ...options] : options;
      const ticked = all.filter(([key]) => chosen.has(key));
      const rest = all.filter(([key]) => !chosen.has(key));
      const boxes = [...ticked, ...rest].map(([key, name]) => this.box(key, name, chosen.has(key)));
      const other = element("input", {
        type: "text", value: join(others), className: this.text.className,
        "aria-label": `${this.label}, other values`, placeholder: "Other values, with commas between",
      });
      const summary = element("summary");
      const names = new Map(all);
      const tell = (values) => {
        summary.textContent = values.map((value) => names.get(value) || value).join(", ") || "Choose…";
      };
      const write = () => {
        const inputs = boxes.map((box) => box.querySelector("input"));
        const values = inputs.filter(({ checked }) => checked).map(({ value }) => value);
        if (!closed) values.push(...split(other.value));
        tell(values);
        this.write(join(values));
      };
      const list = element("ul", {}, ...boxes);
      list.addEventListener("change", write);
      other.addEventListener("input", write);
      const details = element("details", { open: chosen.size === 0 }, summary, this.filter(boxes), list);
      if (!closed) details.append(other);
      tell([...chosen]);
      return [details];
    }

    box(value, name, checked) {
      return element("li", {}, element("label", {}, element("input", { type: "checkbox", value, checked }), ` ${name}`));
    }

    filter(boxes) {
      const made = element("input", {
        type: "search", placeholder: "Type to filter", className: this.text.className,
        "aria-label": `${this.label}, filter the list`, hidden: boxes.length < 8,
      });
      made.addEventListener("input", () => {
        const wanted = made.value.toLowerCase();
        for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(wanted);
      });
      // Enter would send the whole form.
      made.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
      return made;
    }
  }

  function enhance(root) {
    for (const text of root.querySelectorAll("input[name^='conditions-'][name$='-value']")) {
      const row = text.closest(".form-group, tr");
      if (row && !text.name.includes("__prefix__") && !row.querySelector(".condition-value")) new Row(row);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const source = document.getElementById("condition-catalogue");
    if (!source) return;
    catalogue = JSON.parse(source.textContent);
    document.addEventListener("formset:added", ({ target }) => enhance(target));
    enhance(document);
  });
})();
