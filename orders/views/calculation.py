"""計算結果を更新, and every change of the lines: answered with the card as it then is, saving nothing (G5-5)."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from cagolab.roles import EDIT
from orders.forms import lines as line_forms
from orders.models import Product
from orders.views.order_screen import OrderScreen, lines_context, load_order, locked_reason, screen_from

PRODUCTS_SHOWN = 20
# A search word longer than a product's name finds nothing.
MAX_WORD_CHARACTERS = 100


@require_POST
@permission_required(EDIT, raise_exception=True)
def calculate(request: HttpRequest, pk: int) -> HttpResponse:
    """Recompute a stored order's form; with add_product, add_line or remove change its lines first."""
    order = load_order(pk)
    if locked_reason(order):
        return HttpResponse(locked_reason(order), status=409, content_type="text/plain; charset=utf-8")
    return answer(request, screen_from(with_changes(request.POST), order))


def with_changes(data: QueryDict) -> QueryDict:
    """The posted form after the one change of its lines that the pressed button asks for."""
    if product_id := data.get("add_product", ""):
        if not product_id.isdecimal() or len(product_id) > 18:
            raise Http404("product")
        product = get_object_or_404(Product, pk=int(product_id))
        return line_forms.with_product(data, product, key=data.get("replace", ""))
    if code := data.get("add_line", ""):
        return line_forms.with_extra_line(data, code)
    if key := data.get("remove", ""):
        return line_forms.without_line(data, key)
    return data


def answer(request: HttpRequest, screen: OrderScreen) -> HttpResponse:
    """The card's rows and totals, or with part=totals only what a typed number changes."""
    screen.calculate()
    part_only = request.GET.get("part") == "totals"
    template = "orders/edit/totals.html" if part_only else "orders/edit/lines.html"
    return render(request, template, {**lines_context(screen), "part_only": part_only})


@require_safe
@permission_required(EDIT, raise_exception=True)
def products(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The dialog 商品を追加: a search over code, name and options, and what it finds."""
    word = request.GET.get("word", "").strip()[:MAX_WORD_CHARACTERS]
    found = Product.objects.order_by("code")
    for part in word.split():
        found = found.filter(Q(code__icontains=part) | Q(name__icontains=part) | Q(options__icontains=part))
    rows = list(found[: PRODUCTS_SHOWN + 1])
    context = {
        "products": rows[:PRODUCTS_SHOWN],
        "has_more": len(rows) > PRODUCTS_SHOWN,
        "shown": PRODUCTS_SHOWN,
        "word": word,
        "replace": request.GET.get("line", ""),
        "products_address": request.path,
        "calculate_address": reverse("orders:calculate", args=[pk])
        if pk is not None
        else reverse("orders:new_calculate"),
    }
    template = "product_rows.html" if "word" in request.GET else "products.html"
    return render(request, f"orders/edit/{template}", context)
