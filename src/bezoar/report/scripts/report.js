(function () {
  "use strict";
  var root = document.documentElement;
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  root.classList.add("js");

  /* copy: the command is selectable with one click even without this */
  all(".cmd").forEach(function (c) {
    if (!navigator.clipboard) return;
    var b = document.createElement("button");
    b.type = "button"; b.textContent = "Copy"; b.setAttribute("aria-label", "Copy command");
    b.addEventListener("click", function () {
      navigator.clipboard.writeText($("code", c).textContent).then(function () {
        b.textContent = "Copied";
        setTimeout(function () { b.textContent = "Copy"; }, 1500);
      }, function () {});
    });
    c.appendChild(b);
  });

  /* gallery: filter, sort, show more */
  var list = $("#pairs");
  if (!list) return;
  var items = all(".pair", list), more = $("#more"), shown = $("#shown"), PAGE = 24, open = false, view = [];
  var orders = {
    rank: function (a, b) { return a.dataset.rank - b.dataset.rank; },
    key: function (a, b) { var x = $("a", a).textContent, y = $("a", b).textContent; return x < y ? -1 : x > y ? 1 : 0; },
    length: function (a, b) { return b.dataset.length - a.dataset.length; }
  };
  function apply() {
    var f = ($("input[name=f]:checked") || { value: "all" }).value;
    view = items.filter(function (x) { return f === "all" || x.classList.contains(f); });
    view.sort(orders[$("#sort").value]);
    var keep = open ? view.length : Math.min(PAGE, view.length), frag = document.createDocumentFragment();
    items.forEach(function (x) { x.hidden = true; });
    view.forEach(function (x, i) { x.hidden = i >= keep; frag.appendChild(x); });
    list.appendChild(frag);
    shown.textContent = keep + " of " + view.length + " shown";
    more.hidden = keep === view.length; more.textContent = "Show all " + view.length;
    rove(view[0]);
  }
  function rove(x) { items.forEach(function (y) { $("a", y).tabIndex = y === x ? 0 : -1; }); }
  function visible() { return view.filter(function (x) { return !x.hidden; }); }
  function go(d) {
    var v = visible(), i = v.indexOf(document.activeElement.closest(".pair"));
    var n = v[Math.max(0, Math.min(v.length - 1, i < 0 ? 0 : i + d))];
    if (n) { rove(n); $("a", n).focus({ preventScroll: true }); n.scrollIntoView({ block: "nearest" }); }
  }
  function columns() {
    var v = visible(), i = 1;
    while (i < v.length && v[i].offsetTop === v[0].offsetTop) i++;
    return i;
  }
  all("input[name=f]").forEach(function (r) { r.addEventListener("change", apply); });
  $("#sort").addEventListener("change", apply);
  more.addEventListener("click", function () {
    var n = visible().length;
    open = true; apply();
    if (view[n]) { rove(view[n]); $("a", view[n]).focus(); }
  });
  list.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    var k = { ArrowRight: 1, ArrowLeft: -1, j: 1, k: -1 }[e.key] || { ArrowDown: columns(), ArrowUp: -columns() }[e.key];
    if (e.key === "Home" || e.key === "End") k = e.key === "Home" ? -items.length : items.length;
    if (k) { e.preventDefault(); go(k); }
  });
  addEventListener("beforeprint", function () { all(".pair img").forEach(function (i) { i.loading = "eager"; }); });

  /* one pair, large. Text only ever moves by cloning nodes that were escaped when the page was made */
  var d = $("#one"), now = null;
  function copy(from, to) {
    to.replaceChildren.apply(to, from ? Array.prototype.map.call(from.childNodes, function (n) { return n.cloneNode(true); }) : []);
  }
  function show(x) {
    now = x;
    $("#one-im").replaceChildren($(".im", x).cloneNode(true));
    copy($(".cap", x), $("#one-cap"));
    copy($("a", x), $("[data-f=key]", d));
    copy($(".at", x), $("[data-f=at]", d));
    copy($(".nums", x), $("[data-f=nums]", d));
    var parts = $(".parts", x), to = $("[data-f=parts]", d);
    to.replaceChildren();
    if (parts) to.appendChild(parts.cloneNode(true));
    $("[data-f=rank]", d).textContent = x.dataset.rank + " of " + items.length + " shown here";
    if (!d.open) d.showModal();
  }
  list.addEventListener("click", function (e) {
    var x = e.target.closest(".pair");
    if (x && e.target.closest("a,img") && !e.shiftKey && !e.ctrlKey && !e.metaKey) { e.preventDefault(); rove(x); show(x); }
  });
  function step(k) { var v = visible(), x = v[v.indexOf(now) + k]; if (x) { show(x); rove(x); } }
  $("#one-p").addEventListener("click", function () { step(-1); });
  $("#one-n").addEventListener("click", function () { step(1); });
  $("#one-x").addEventListener("click", function () { d.close(); });
  d.addEventListener("keydown", function (e) {
    if (e.key === "ArrowRight" || e.key === "j") step(1);
    if (e.key === "ArrowLeft" || e.key === "k") step(-1);
  });
  d.addEventListener("close", function () { if (now) $("a", now).focus(); });
  apply();
})();
