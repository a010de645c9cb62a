// The camera of a phone, as far as one is needed: codes that the console shows, pasted texts, pictures of codes.

import { at, call } from "./api.js";
import { button, el, freshId, replace } from "./dom.js";
import { shell } from "./form-dialog.js";
import { fullName } from "./names.js";
import { refresh } from "./network.js";
import { tell } from "./notices.js";
import { listen } from "./pairing-channel.js";

/** Opens the camera of a phone. */
export function openCamera(phone) {
  const codes = el("div", { class: "codes" });
  const problem = el("p", { class: "problem", role: "alert" });
  const state = el("p", { class: "about", role: "status" });
  const paste = pasting((code) => scan(code, null), problem);
  const dialog = shell(
    `Scan a code with ${fullName(phone)}`,
    el("p", { class: "about" }, "A session shows a code until a phone has scanned it. Then it works with that phone's number."),
    el("h3", {}, "Codes that the console shows now"),
    codes,
    el("h3", {}, "Or a code from elsewhere"),
    paste,
    state,
    problem,
    el("div", { class: "actions" }, button("Close", () => dialog.close())),
  );
  let untouched = true;
  const channel = listen((offers) => {
    draw(codes, offers, scan);
    if (untouched && offers.length) {
      // Whoever opened the camera most likely wants this.
      untouched = false;
      codes.querySelector("button").focus();
    }
  });
  paste.addEventListener("input", () => (untouched = false));
  dialog.addEventListener("close", () => channel.close());
  dialog.showModal();

  async function scan(code, session) {
    problem.replaceChildren();
    state.replaceChildren("Scanning. The session has to confirm that it is the one ...");
    try {
      const linked = await call("POST", `${at("phones", phone.number)}/scan`, { qr: code });
      if (session) {
        channel.forget(session);
      }
      dialog.close();
      tell(`${fullName(phone)} has linked device ${linked.device}.`);
      await refresh();
    } catch (error) {
      problem.replaceChildren(error.message);
    } finally {
      state.replaceChildren();
    }
  }
}

function draw(container, offers, scan) {
  if (!offers.length) {
    replace(
      container,
      el("p", { class: "empty" }, "None. Open the console beside this page, make a session and start to link it; its code then appears here."),
    );
    return;
  }
  replace(
    container,
    offers.map(({ session, label, code, expiresAt }) =>
      el(
        "div",
        { class: "code" },
        el("span", { class: "lens", "aria-hidden": "true" }),
        el(
          "span",
          { class: "what" },
          el("strong", {}, label || "Session"),
          el("small", {}, `${session} · good for ${Math.max(0, Math.ceil((expiresAt - Date.now()) / 1000))} s`),
        ),
        button("Scan", () => scan(code, session), { class: "main", "data-key": `scan-${session}` }),
      ),
    ),
  );
}

function pasting(scan, problem) {
  const id = freshId("qr");
  const text = el("textarea", { id, rows: 3, autocomplete: "off", spellcheck: "false" });
  const fromPicture = async (files) => {
    const picture = [...files].find((file) => file.type.startsWith("image/"));
    if (!picture) {
      return;
    }
    try {
      scan(await readPicture(picture));
    } catch (error) {
      problem.replaceChildren(error.message);
    }
  };
  const form = el(
    "form",
    { class: "paste" },
    el("label", { for: id }, "The text of a code"),
    text,
    el(
      "small",
      {},
      canReadPictures()
        ? "Paste the text, or drop or paste a picture of the code here."
        : "GET /sessions/{session}/qr answers with it. This browser reads no pictures of codes.",
    ),
    el("button", { type: "submit" }, "Scan this text"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (text.value.trim()) {
      scan(text.value.trim());
    } else {
      problem.replaceChildren("There is no text to scan yet.");
    }
  });
  form.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      fromPicture(event.clipboardData.files);
    }
  });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) {
      event.preventDefault();
      fromPicture(event.dataTransfer.files);
    }
  });
  return form;
}

function canReadPictures() {
  return "BarcodeDetector" in globalThis;
}

async function readPicture(file) {
  if (!canReadPictures()) {
    throw new Error("This browser reads no pictures of codes: paste the code's text.");
  }
  const detector = new globalThis.BarcodeDetector({ formats: ["qr_code"] });
  const [found] = await detector.detect(await createImageBitmap(file));
  if (!found) {
    throw new Error("There is no code in this picture, or it is not sharp enough.");
  }
  return found.rawValue;
}
