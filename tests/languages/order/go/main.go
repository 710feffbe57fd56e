// Adds an order up, and reads five balances: the work that is measured. As `tests/guests/order` in its mode `read`.
package main

import (
	"backroom.local/sdk"
	balances "backroom.local/sdk/bindings/backroom_ledger_balances"
)

type input struct {
	Mode  string `json:"mode"`
	Order struct {
		Reference   string   `json:"reference"`
		Customer    string   `json:"customer"`
		Date        sdk.Date `json:"date"`
		Currency    string   `json:"currency"`
		Source      string   `json:"source"`
		Destination string   `json:"destination"`
		Accounts    struct {
			Cash       string `json:"cash"`
			Receivable string `json:"receivable"`
			Tax        string `json:"tax"`
			Revenue    string `json:"revenue"`
			Cost       string `json:"cost"`
		} `json:"accounts"`
		Lines []struct {
			Item       string  `json:"item"`
			Quantity   uint64  `json:"quantity"`
			PriceMinor uint64  `json:"price_minor"`
			Note       *string `json:"note"`
		} `json:"lines"`
	} `json:"order"`
}

type balance struct {
	Account string `json:"account"`
	Debits  uint64 `json:"debits"`
	Credits uint64 `json:"credits"`
}

type output struct {
	Reference  string    `json:"reference"`
	Lines      int       `json:"lines"`
	TotalMinor uint64    `json:"total_minor"`
	Balances   []balance `json:"balances"`
}

func run(in input) (output, error) {
	order := in.Order
	out := output{Reference: order.Reference, Lines: len(order.Lines)}
	five := []string{order.Accounts.Cash, order.Accounts.Receivable, order.Accounts.Tax, order.Accounts.Revenue, order.Accounts.Cost}
	for _, account := range five {
		found, err := sdk.Value(balances.Get(account, sdk.Optional(nil)))
		if err != nil {
			return out, err
		}
		out.Balances = append(out.Balances, balance{found.Account, found.Debits, found.Credits})
	}
	total := sdk.Money{Currency: order.Currency}
	for _, line := range order.Lines {
		price, err := sdk.Times(sdk.Money{Minor: line.PriceMinor, Currency: order.Currency}, line.Quantity)
		if err != nil {
			return out, err
		}
		if total, err = sdk.Plus(total, price); err != nil {
			return out, err
		}
	}
	out.TotalMinor = total.Minor
	return out, nil
}

func init() { sdk.Workflow(run) }

// A plugin has no main of its own: the service calls the workflow.
func main() {}
