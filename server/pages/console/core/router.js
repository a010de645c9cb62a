/** Addresses behind the `#`: they name places, and never hold a secret. */

/**
 * @typedef {object} View
 * @property {string} title names the place, in the window's title
 * @property {HTMLElement} element holds a heading that gets the focus
 * @property {() => void} [leave] called when another view comes
 */
/** @typedef {(app: any, ...parts: string[]) => View} Show */
/** @typedef {{path: RegExp, nav: string, load: () => Promise<{show: Show}>}} Route */

export class Router {
  #main;
  #routes;
  #app;
  /** @type {(nav: string) => void} */
  #went;
  /** @type {View | null} */
  #view = null;
  #turn = 0;
  #listening = new AbortController();

  /**
   * @param {HTMLElement} main where views go
   * @param {Route[]} routes the first one that fits is taken
   * @param {unknown} app given to each view
   * @param {(nav: string) => void} went told which part of the console is shown
   */
  constructor(main, routes, app, went) {
    this.#main = main;
    this.#routes = routes;
    this.#app = app;
    this.#went = went;
  }

  start() {
    addEventListener("hashchange", () => this.#go(), { signal: this.#listening.signal });
    return this.#go();
  }

  stop() {
    this.#listening.abort();
    this.#turn += 1;
    this.#leave();
  }

  async #go() {
    const turn = (this.#turn += 1);
    const found = this.#routes.find((route) => route.path.test(location.hash)) ?? this.#routes[0];
    const parts =
      found.path
        .exec(location.hash)
        ?.slice(1)
        .map((part) => decode(part ?? "")) ?? [];
    const { show } = await found.load();
    if (turn !== this.#turn) return; // somebody was quicker
    this.#leave();
    const view = (this.#view = show(this.#app, ...parts));
    document.title = `${view.title} - wagate console`;
    this.#main.replaceChildren(view.element);
    this.#went(found.nav);
    scrollTo(0, 0);
    const heading = /** @type {HTMLElement | null} */ (
      view.element.querySelector("[data-focus]") ?? view.element.querySelector("h1")
    );
    if (heading && !heading.matches("input, textarea, select, button, a")) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
  }

  #leave() {
    this.#view?.leave?.();
    this.#view = null;
  }
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a place.
 *
 * @param {...string} parts
 */
export function hash(...parts) {
  return "#/" + parts.map(encodeURIComponent).join("/");
}
