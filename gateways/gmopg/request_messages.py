"""The telegrams that begin payments of other kinds than cards (protocol 2.9 to 2.12), typed on both sides."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateways.gmopg.messages import Answer, Hex32, Request, ShopRequest, Stamp


class EntryTranCvs(ShopRequest):
    """Open a payment at a convenience store."""

    order_id: str
    amount: int


class EntryTranPayEasy(EntryTranCvs):
    """Open a payment at a bank."""


class EntryTranAu(EntryTranCvs):
    """Open a payment by phone bill. `job_cd`: what the customer's agreement makes it, AUTH or CAPTURE."""

    job_cd: str


class EntryTranDocomo(EntryTranAu):
    """The same at docomo."""


class EntryTranSb(EntryTranAu):
    """The same at SoftBank."""


class EntryTranRakutenId(EntryTranAu):
    """The same at 楽天ペイ."""


class CounterRequest(Request):
    """Ask for the number to pay with. `receipts_disp11` to 13: whom the customer may ask, printed on the slip."""

    access_id: str
    access_pass: str
    order_id: str
    customer_name: str
    customer_kana: str
    tel_no: str
    payment_term_day: str
    mail_address: str | None
    receipts_disp11: str
    receipts_disp12: str
    receipts_disp13: str


class ExecTranCvs(CounterRequest):
    """A number for one chain of stores."""

    convenience: str


class ExecTranPayEasy(CounterRequest):
    """A number for banks; `payment_type` E asks for the address of the banks' choice too."""

    payment_type: str | None


class ConsentRequest(ShopRequest):
    """Ask for the page where the customer agrees."""

    access_id: str
    access_pass: str
    order_id: str
    ret_url: str
    payment_term_sec: str


class ExecTranAu(ConsentRequest):
    """au: what is bought, and from whom."""

    commodity: str
    service_name: str
    service_tel: str


class ExecTranDocomo(ConsentRequest):
    """docomo: from whom."""

    disp_shop_name: str
    disp_phone_number: str
    disp_mail_address: str


class ExecTranSb(ConsentRequest):
    """SoftBank."""


class ExecTranRakutenId(ConsentRequest):
    """楽天ペイ: what is bought."""

    error_rcv_url: str
    item_id: str
    item_name: str


class EntryAnswer(Answer):
    """The pair that addresses the trade from now on."""

    access_id: Hex32
    access_pass: Hex32 = Field(repr=False)


class ExecTranCvsAnswer(Answer):
    """The number for the store, good until `payment_term`."""

    order_id: str
    convenience: str
    conf_no: str
    receipt_no: str
    payment_term: Stamp
    tran_date: Stamp
    check_string: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]


class ExecTranPayEasyAnswer(Answer):
    """The numbers for the bank, good until `payment_term`. How its CheckString is made is not documented."""

    order_id: str
    cust_id: str
    bk_code: str
    conf_no: str
    payment_term: Stamp
    tran_date: Stamp
    payment_url: str = ""


class ConsentAnswer(Answer):
    """Where the browser goes by POST, with AccessID and `token`, until `start_limit_date`."""

    access_id: Hex32
    token: Annotated[str, StringConstraints(min_length=1)] = Field(repr=False)
    start_url: Annotated[str, StringConstraints(min_length=1)]
    start_limit_date: Stamp
