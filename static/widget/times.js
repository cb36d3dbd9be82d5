// Times as people say them: relative up to a day, in the reader's zone; visits in the company's zone.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class Times {
  #language;
  #zone;

  constructor(language, zone) {
    this.#language = language;
    this.#zone = zone;
  }

  /** Tells times in another language from now on, by its tag. */
  speak(language) {
    this.#language = language;
  }

  exact(moment) {
    return this.#format(moment, { dateStyle: "full", timeStyle: "short" });
  }

  /** "4 min ago", and from a day on "Mon 1 Jun, 10:02". */
  ago(moment, now = Date.now()) {
    const age = Math.max(0, now - new Date(moment).getTime());
    const words = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto", style: "short" });
    if (age < MINUTE) return words.format(0, "second");
    if (age < HOUR) return words.format(-Math.floor(age / MINUTE), "minute");
    if (age < DAY) return words.format(-Math.floor(age / HOUR), "hour");
    return this.#format(moment, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }

  /** A visit: {day: "Tuesday 9 June", hours: "10:00 – 12:00"} where the company is; null without a readable start. */
  visit(start, end) {
    const there = { timeZone: this.#zone };
    const [from, until] = [new Date(start), new Date(end)];
    if (!start || Number.isNaN(from.getTime())) return null;
    const hours = new Intl.DateTimeFormat(this.#language, { timeStyle: "short", ...there });
    return {
      day: this.#format(start, { weekday: "long", day: "numeric", month: "long", ...there }),
      hours: until > from ? hours.formatRange(from, until) : hours.format(from),
    };
  }

  /** When the company opens, on its own clock: "Mon 08:00". */
  opening(moment) {
    return this.#format(moment, { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: this.#zone });
  }

  /** 192 seconds as "3 mins 12 secs". */
  length(seconds) {
    const unit = (value, name) =>
      new Intl.NumberFormat(this.#language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
    const minutes = Math.floor(seconds / 60);
    return [minutes ? unit(minutes, "minute") : "", unit(Math.round(seconds % 60), "second")].filter(Boolean).join(" ");
  }

  #format(moment, options) {
    const date = new Date(moment);
    return Number.isNaN(date.getTime()) ? "" : new Intl.DateTimeFormat(this.#language, options).format(date);
  }
}
