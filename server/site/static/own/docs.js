// Swagger UI, with what it leaves out for readers who do not see the page or use no mouse.

/** An operation is unfolded by a button; a link inside of it could not be reached. */
const PlainOperationLinks = () => ({
  wrapComponents: {
    DeepLink: (Original, { React }) => (properties) =>
      properties.path?.includes("/")
        ? React.createElement("span", { className: "nostyle" }, properties.text)
        : React.createElement(Original, properties),
  },
});

const REGIONS = { ".information-container": "About", ".scheme-container": "Servers" };

/** Name the choices and regions, and let the blocks that scroll be reached by keyboard. */
function complete(page) {
  for (const [selector, name] of Object.entries(REGIONS)) {
    for (const part of page.querySelectorAll(`${selector}:not([role])`)) {
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", name);
    }
  }
  for (const select of page.querySelectorAll("select:not([aria-label])")) {
    select.setAttribute("aria-label", nameOf(select));
  }
  for (const block of page.querySelectorAll("pre.microlight:not([tabindex])")) {
    block.tabIndex = 0;
  }
  for (const dialog of page.querySelectorAll(".modal-ux:not([role])")) {
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-label", "Authorize");
    dialog.querySelector(".close-modal")?.setAttribute("aria-label", "Close");
  }
  for (const button of page.querySelectorAll(".auth-btn-wrapper .auth:is(.button, .authorize)")) {
    const scheme = button.closest(".auth-container")?.querySelector("h4 code")?.textContent ?? "";
    button.setAttribute("aria-label", `${button.textContent} ${scheme}`.trim());
  }
  for (const table of page.querySelectorAll("[role=region]:not([aria-label])")) {
    table.setAttribute("aria-label", `Responses of ${operationOf(table)}`);
  }
}

function nameOf(select) {
  if (select.id === "servers") return "Server";
  const parameter = select.closest("[data-param-name]")?.dataset.paramName;
  if (parameter) return parameter;
  const status = select.closest("[data-code]")?.dataset.code;
  const kind = select.classList.contains("examples-select-element") ? "Example" : "Media type";
  return status ? `${kind} of ${status}, ${operationOf(select)}` : kind;
}

function operationOf(part) {
  return part.closest(".opblock")?.querySelector(".opblock-summary-path")?.textContent ?? "";
}

const page = document.getElementById("interface");
new MutationObserver(() => complete(page)).observe(page, { childList: true, subtree: true });

// validatorUrl null: the document is not sent to a validator elsewhere.
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  domNode: page,
  deepLinking: true,
  validatorUrl: null,
  syntaxHighlight: { theme: "tomorrow-night" },
  plugins: [PlainOperationLinks],
});
