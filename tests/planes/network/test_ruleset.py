"""Rules as text: whole, and as a difference."""

from __future__ import annotations

from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset, change, render

OLD = Ruleset("t", (NftSet("s", "ipv4_addr", (("10.0.0.1", ""), ("10.0.0.2", ""))),
                    NftSet("m", "ifname", (('"a"', "goto x"),), mapped="verdict")),
              (NftChain("x", ("drop",)), NftChain("f", ("iifname vmap @m",), "type filter hook forward priority 0;")))


def test_a_whole_table_replaces_what_is_there() -> None:
    assert render(OLD) == (
        "add table inet t\ndelete table inet t\n"
        "table inet t {\n"
        "\tset s {\n\t\ttype ipv4_addr;\n\t\telements = {\n\t\t\t10.0.0.1,\n\t\t\t10.0.0.2,\n\t\t};\n\t}\n"
        "\tmap m {\n\t\ttype ifname : verdict;\n\t\telements = {\n\t\t\t\"a\" : goto x,\n\t\t};\n\t}\n"
        "\tchain x {\n\t\tdrop\n\t}\n"
        "\tchain f {\n\t\ttype filter hook forward priority 0;\n\t\tiifname vmap @m\n\t}\n"
        "}\n")


def test_equal_tables_need_no_change() -> None:
    assert change(OLD, OLD) == ""


def test_a_change_adds_first_and_removes_last() -> None:
    new = Ruleset("t", (NftSet("s", "ipv4_addr", (("10.0.0.2", ""), ("10.0.0.3", ""))),
                        NftSet("m", "ifname", (('"a"', "goto y"), ('"b"', "goto y")), mapped="verdict"),
                        NftSet("n", "mark")),
                  (NftChain("y", ("accept",)), OLD.chains[1]))
    assert change(OLD, new).splitlines() == [
        "add chain inet t y",
        "add set inet t n { type mark; }",
        "flush chain inet t x",
        "delete element inet t s { 10.0.0.1 }",
        "add element inet t s { 10.0.0.3 }",
        'delete element inet t m { "a" }',
        'add element inet t m { "a" : goto y, "b" : goto y }',
        "add rule inet t y accept",
        "delete chain inet t x",
    ]
    assert change(new, OLD).splitlines()[-2:] == ["delete chain inet t y", "delete set inet t n"]


def test_what_cannot_be_changed_in_place_is_replaced_whole() -> None:
    retyped = Ruleset("t", (NftSet("s", "ipv4_addr", flags="interval"), OLD.sets[1]), OLD.chains)
    assert change(OLD, retyped) == render(retyped)
