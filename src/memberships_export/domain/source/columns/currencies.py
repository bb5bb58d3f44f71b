"""How many decimal places an amount of a currency has, by ISO 4217.

Source: list one of ISO 4217 as published on 2026-01-01 by its maintenance agency, SIX:
https://www.six-group.com/dam/download/financial-information/data-center/iso-currrency/lists/list-one.xml
Codes without minor units ("N.A."), such as gold and the code for tests, are no money that somebody pays.
Old memberships were paid in old money, so codes that were withdrawn since 2016 are there too, as list one had them.
"""

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
        "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
        "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG "
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_WITHDRAWN = {0: "BYR", 2: "ANG BGN CUC HRK MRO SLL STD VEF ZWL"}


def exponents() -> dict[str, int]:
    """Return the decimal places by code, in capitals: CHF 2, JPY 0, KWD 3."""
    tables = (_WITHDRAWN, _EXPONENTS)
    return {code: exponent for table in tables for exponent, codes in table.items() for code in codes.split()}
