// Browsers show dates in the order of their own language, pages as 26 Nov 2026: below a field for a date stands what was
// chosen, in the words of the pages.

const FIELDS = "input[type=date], input[type=datetime-local]";
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function words(value) {
  const [date, time] = value.split("T");
  const day = new Date(`${date}T12:00`);
  return `${DAYS[day.getDay()]} ${day.getDate()} ${MONTHS[day.getMonth()]} ${day.getFullYear()}${time ? `, ${time}` : ""}`;
}

function tell(field) {
  let told = field.nextElementSibling;
  if (!told?.matches(".date-words")) {
    told = document.createElement("p");
    told.className = "date-words small soft";
    field.after(told);
  }
  told.textContent = field.value ? words(field.value) : "";
}

const tellAll = (part) => part.querySelectorAll(FIELDS).forEach((field) => field.value && tell(field));

document.addEventListener("input", ({ target }) => target.matches(FIELDS) && tell(target));
document.addEventListener("htmx:load", ({ detail }) => tellAll(detail.elt));
tellAll(document);
