// Comfort.
const words = WORDS;
const $ = (css, from = document) => from.querySelector(css);
const $$ = (css, from = document) => [...from.querySelectorAll(css)];
const say = (forms, n, at = +(n != 1)) => forms.split("|")[at].replace("#", n);

const box = $("#c"), left = $("#ch");
const count = () => {
  if (!box) return;
  // As the server counts.
  const text = box.value.replace(/(?![\n\t])\p{Cc}/gu, "")
    .replace(/^\p{White_Space}*\n|\p{White_Space}+$/gu, "");
  const n = left.dataset.max - [...text].length;
  left.textContent = say(n < 0 ? words.over : words.left, Math.abs(n));
  left.classList.toggle("err", n < 0);
};

// What was typed outlasts its page, in this tab, until it is sent or one signs out.
const form = box?.form, fields = form ? $$("textarea, select, input[dir]", form) : [];
const own = [$(".bar [href^='/@']")?.href, form?.action, form?.reply_user?.value, form?.reply_id?.value];
if (box && sessionStorage[own] && box.value == box.defaultValue) {
  const typed = JSON.parse(sessionStorage[own]);
  fields.forEach((field) => field.value = typed[field.name] ?? field.value);
  $("details", form).open ||= !!$("#cn").value;
}
if (box) box.selectionStart = box.value.length;
let sent;
onsubmit = ({ target }) => {
  const leaves = target.action.endsWith("/logout");
  if (leaves) sessionStorage.clear();
  sent = leaves || target == form;
};
onpagehide = () => {
  if (!box) return;
  // A page that gives a text back shows no other.
  const blank = location.pathname == "/post" || $("[role=alert]") ? "" : box.defaultValue;
  const typed = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  if (sent || !box.value || box.value == blank) delete sessionStorage[own];
  else sessionStorage[own] = JSON.stringify(typed);
};
oninput = () => (sent = 0, count());

// The server would not read them.
const chosen = $$("[type=file]");
chosen.forEach((field) => field.onchange = () => {
  const bytes = chosen.reduce((sum, { files: [file] }) => sum + (file?.size ?? 0), 0);
  chosen[0].setCustomValidity(bytes > 8 * 2 ** 20 ? words.heavy : "");
});

const tell = () => {
  $$(".by time").forEach((time) => {
    const age = (Date.now() - new Date(time.dateTime)) / 1000;
    const unit = [60, 3600, 86400, 604801].findIndex((end) => age < end);
    const n = Math.floor(age / [1, 60, 3600, 86400][unit]);
    if (unit >= 0) time.textContent = say(words.ago, n, unit + (n > 1 && unit > 2));
  });
  $$("time.full").forEach((time) => time.textContent = new Date(time.dateTime).toLocaleString(
    document.documentElement.lang.replace("en", "en-GB"), { dateStyle: "long", timeStyle: "short" }));
};
onpageshow = () => (sent = 0, count(), tell());

const fresh = $("#new a");
setInterval(async () => {
  if (document.hidden) return;
  tell();
  if (!fresh) return;
  const page = await fetch(fresh.href + "?peek=1", { cache: "no-cache" }).catch(() => 0);
  if (!page.ok) return;
  const html = new DOMParser().parseFromString(await page.text(), "text/html");
  const posts = $$(".feed .post", html);
  const old = posts.findIndex((post) => document.getElementById(post.id));
  const n = old < 0 ? posts.length : old, text = say(words.new, n);
  if (n && text != fresh.textContent) fresh.textContent = text;
}, 30000);

$$("a[data-hide]").forEach((link) => link.onclick = () => {
  const field = $("[name=password]", link.closest("form"));
  field.type = field.type == "text" ? "password" : "text";
  [link.textContent, link.dataset.hide] = [link.dataset.hide, link.textContent];
  return false;
});

const here = () => document.activeElement.closest(".post") ?? document.head;
const step = (by) => {
  const posts = $$(".at"), at = posts.indexOf($(".at", here())) + by;
  posts[Math.max(0, at)]?.focus();
};
const go = (css, from) => {
  const there = $(css, from);
  there?.focus();
  there?.click();
  return there;
};
const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => go("[href$='#c']", here()) ?? go(".answer #c"),
  n: () => go(".f:not(.answer *) #c") ?? (location = "/#c"),
  "/": () => go("[type=search]") ?? (location = "/search#q"),
  gh: () => go("[href='/']"),
  gl: () => go("[href='/public']"),
  gn: () => go("[href='/mentions']"),
  ".": () => fresh?.textContent && fresh.click(),
  "?": () => location = "/settings/keys",
};
let prefix = "";
onkeydown = (event) => {
  const { key, target, altKey, ctrlKey, metaKey } = event;
  if (key == "Enter" && (ctrlKey || metaKey) && target == box) box.form.requestSubmit();
  if (altKey || ctrlKey || metaKey || !document.body.dataset.keys || target.matches("input,textarea,select")) return;
  const act = keys[prefix + key];
  prefix = key == "g" ? key : "";
  if (act) event.preventDefault(), act();
};
