// ReDoc takes its colours once: those of a page in dark mode are put over its own.
const DARK = {
  colors: {
    primary: { main: "#6cc0ee" },
    success: { main: "#4fc79f" },
    warning: { main: "#f0b26b" },
    error: { main: "#ff8b80" },
    border: { light: "#2c3942", dark: "#3d4c57" },
    text: { primary: "#e3e9ed", secondary: "#9fadb7" },
  },
  schema: { linesColor: "#3d4c57", nestedBackground: "#182229", typeNameColor: "#9fadb7", typeTitleColor: "#9fadb7" },
  sidebar: { backgroundColor: "#10171c", textColor: "#e3e9ed" },
  rightPanel: { backgroundColor: "#182229" },
  codeBlock: { backgroundColor: "#10171c" },
  typography: { code: { color: "#f0b26b", backgroundColor: "#182229" } },
};
const isDark = document.documentElement.classList.contains("dark-mode");

Redoc.init(
  "/api/v1/openapi.json",
  { hideDownloadButton: false, ...(isDark && { theme: DARK }) },
  document.getElementById("interface"),
);
document.addEventListener("themechange", () => location.reload());
