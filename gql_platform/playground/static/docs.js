// Mounts Swagger UI on the page's data: the path of the OpenAPI description.
"use strict";

(() => {
  const { openapiPath } = JSON.parse(document.getElementById("page-data").textContent);

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const followTheme = () =>
    document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
  prefersDark.addEventListener("change", followTheme);
  followTheme();

  SwaggerUIBundle({
    url: openapiPath,
    dom_id: "#docs",
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    // The badge of a validator on another host.
    validatorUrl: null,
  });
})();
