// Runs before the first paint, so that a chosen theme never flashes. Storage may be closed to us; then the system decides.
try {
  const theme = localStorage.getItem("logkb-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* no storage, no choice */ }
document.documentElement.classList.add("js");
