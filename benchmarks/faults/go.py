"""Faults in Go."""

from __future__ import annotations

from faults import ENVIRONMENT, Ecosystem, Fault, slow

CART = """package cart

import (
	"errors"
	"fmt"
)

// Item is a line of a cart.
type Item struct {
	Name  string
	Price int
	Count int
}

// ErrEmpty is returned for a cart without items.
var ErrEmpty = errors.New("the cart is empty")

// Total is the price of all items.
func Total(items []Item) int {
	total := 0
	for _, item := range items {
		total += item.Price * item.Count
	}
	return total
}

// First is the first item.
func First(items []Item) (Item, error) {
	if len(items) == 0 {
		return Item{}, ErrEmpty
	}
	return items[0], nil
}

// Describe is an item for people.
func Describe(item Item) string {
	return fmt.Sprintf("%d of %s", item.Count, item.Name)
}
"""

CART_TEST = """package cart

import "testing"

func TestTotal(t *testing.T) {
	got := Total([]Item{{"apple", 3, 2}, {"pear", 5, 1}})
	if got != 11 {
		t.Errorf("total: got %d, want 11", got)
	}
}

func TestFirst(t *testing.T) {
	for name, items := range map[string][]Item{"empty": nil} {
		t.Run(name, func(t *testing.T) {
			_, err := First(items)
			if err != ErrEmpty {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	if got := Describe(Item{"apple", 3, 2}); got != "2 of apple" {
		t.Error(got)
	}
}
"""

SHOP = """package main

import (
	"fmt"

	"example.com/shop/cart"
)

func main() {
	fmt.Println(cart.Total(nil))
}
"""

FILES = {
    "go.mod": "module example.com/shop\n\ngo 1.22\n",
    "cart/cart.go": CART,
    "cart/cart_test.go": CART_TEST,
    "cmd/shop/main.go": SHOP,
}

SOURCE, TEST, MAIN = "cart/cart.go", "cart/cart_test.go", "cmd/shop/main.go"
SUM = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

FAULTS = (
    Fault("syntax", SOURCE, "total := 0\n", "total := := 0\n", "compile"),
    Fault("syntax", SOURCE, "\treturn total\n}\n", "\treturn total\n", "compile", at="func First("),
    Fault("type", SOURCE, "total := 0\n", 'total := ""\n', "compile", at="total += item.Price"),
    Fault("type", SOURCE, "return items[0], nil", "return items[0]", "compile"),
    Fault("type", MAIN, "cart.Total(nil)", "cart.Sum(nil)", "compile"),
    Fault("type", TEST, "_, err := First(items)", "err := First(items)", "compile"),
    Fault("type", SOURCE, "total := 0\n", "total := 0\n\tunused := 1\n", "compile", at="unused := 1"),
    Fault("lint", SOURCE, '"%d of %s", item.Count', '"%s of %s", item.Count', "compile lint"),
    Fault(
        "lint",
        TEST,
        't.Errorf("total: got %d, want 11", got)',
        't.Errorf("total: %d %d", got)',
        "compile lint",
    ),
    Fault("format", SOURCE, "\ttotal := 0\n", "    total := 0\n", "format", at="total := 0"),
    Fault("format", MAIN, "fmt.Println(cart", "fmt.Println( cart", "format"),
    Fault(
        "unit",
        SOURCE,
        "item.Price * item.Count",
        "item.Price - item.Count",
        "test",
        path=TEST,
        at="t.Errorf(",
    ),
    Fault("unit", SOURCE, "Item{}, ErrEmpty", "Item{}, nil", "test", path=TEST, at="t.Fatalf("),
    Fault("panic", SOURCE, "if len(items) == 0 {", "if len(items) < 0 {", "test", at="return items[0], nil"),
    Fault(
        "panic",
        SOURCE,
        "\ttotal := 0\n",
        "\tvar seen map[int]int\n\tseen[1] = 1\n\ttotal := 0\n",
        "test",
        at="seen[1]",
    ),
    Fault(
        "panic",
        TEST,
        "\tgot := Total(",
        '\tdone := make(chan int)\n\tgo func() { panic("in a goroutine") }()\n\t<-done\n\tgot := Total(',
        "test",
        at="go func()",
    ),
    Fault(
        "time-out",
        TEST,
        "\tgot := Total(",
        "\tselect {}\n\tgot := Total(",
        "compile lint",
        at="got := Total(",
    ),
    Fault(
        "time-out",
        SOURCE,
        "\ttotal := 0\n",
        "\ttotal := 0\n\tfor total == 0 && len(items) > 0 {\n\t\ttotal -= total\n\t}\n",
        "test",
        at="func TestTotal",
        path=TEST,
        says="did not end",
        more=slow(),
    ),
    Fault(
        "missing dependency",
        MAIN,
        '\t"example.com/shop/cart"',
        '\t"example.com/absent"\n\t"example.com/shop/cart"',
        "compile",
    ),
    Fault(
        "missing dependency",
        MAIN,
        '\t"example.com/shop/cart"',
        '\t_ "example.com/absent"\n\t"example.com/shop/cart"',
        "compile",
        says="example.com/absent",
        failure_class=ENVIRONMENT,
        more={
            "go.mod": "module example.com/shop\n\ngo 1.22\n\nrequire example.com/absent v1.0.0\n",
            "go.sum": f"example.com/absent v1.0.0 {SUM}\nexample.com/absent v1.0.0/go.mod {SUM}\n",
        },
    ),
)

ECOSYSTEM = Ecosystem("Go", FILES, FAULTS)
