// The viewer, with this gateway's document. What is given under "Authorize" stays in this page's memory.
"use strict";

const place = document.getElementById("reference");

// The viewer has a dark side; the system says which one is wanted.
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", dress);
dress();

// What is adjusted: an answer that never ends would never be shown, so a stream cannot be tried; a session that was
// given once is given to all operations; and there is one server, the one that this page is from.
const SESSION_ID_LENGTH = 26;
const isSession = (parameter) => parameter.get("in") === "path" && parameter.get("name") === "session";
const endless = (operation) => operation?.getIn(["responses", "200", "content", "text/event-stream"]) !== undefined;
const Adjusted = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        changeParamByIdentity: (original, system) => (operation, parameter, value, isXml) => {
          if (isSession(parameter) && value?.length === SESSION_ID_LENGTH) {
            for (const [path, methods] of system.specSelectors.specJson().get("paths").entries()) {
              for (const [method, other] of methods.entries()) {
                if (other.get("parameters").some(isSession)) original([path, method], parameter, value, isXml);
              }
            }
          }
          return original(operation, parameter, value, isXml);
        },
      },
      wrapSelectors: {
        allowTryItOutFor: (original, system) => (state, path, method) =>
          !endless(system.specSelectors.specJson().getIn(["paths", path, method])) && original(state, path, method),
      },
    },
  },
  wrapComponents: { ServersContainer: () => () => null },
});

const viewer = SwaggerUIBundle({
  url: "openapi.json",
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [Adjusted],
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  syntaxHighlight: { theme: "tomorrow-night" },
  persistAuthorization: false,
  validatorUrl: null,
});

// Links of the introduction lead to operations of this page. The viewer would open them in a new one, without the key.
place.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#/"][target="_blank"]') : null;
  if (link === null) return;
  event.preventDefault();
  history.pushState(null, "", link.hash);
  viewer.getSystem().layoutActions.parseDeepLinkHash(link.hash);
  document.getElementById(`operations-${link.hash.slice(2).replace("/", "-")}`)?.scrollIntoView();
});

// What the viewer leaves without a name for those who do not see where it stands.
const NAMES = {
  ".auth-wrapper > .authorize": "Authorize",
  ".body-param textarea": "Request body",
  ".close-modal": "Close",
  ".content-type": "Media type",
  ".copy-to-clipboard button": "Copy",
  ".examples-select-element": "Example",
  ".json-schema-2020-12-accordion": "Show or hide",
};
const name = () => {
  for (const [which, words] of Object.entries(NAMES)) {
    for (const element of place.querySelectorAll(`${which}:not([aria-label])`)) element.ariaLabel = words;
  }
  for (const field of place.querySelectorAll(".parameters select:not([aria-label])")) {
    field.ariaLabel = field.closest("tr")?.dataset.paramName ?? "Value";
  }
  // What scrolls by itself is reached by the keyboard, too.
  for (const code of place.querySelectorAll("pre.microlight:not([tabindex])")) code.tabIndex = 0;
};
new MutationObserver(name).observe(place, { childList: true, subtree: true });
