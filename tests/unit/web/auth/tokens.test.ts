import { expect, it } from "vitest";
import { FormTokens } from "../../../../runtime/web/auth/tokens.ts";

it("a form's token is good for that form, that cookie and that process alone", () => {
  const [here, elsewhere] = [new FormTokens(), new FormTokens()];
  const token = here.tokenFor("login", "cookie");
  expect(here.matches("login", "cookie", token)).toBe(true);
  expect(here.matches("logout", "cookie", token)).toBe(false);
  expect(here.matches("login", "another", token)).toBe(false);
  expect(elsewhere.matches("login", "cookie", token)).toBe(false);
  for (const wrong of ["", token.slice(1), `${token}A`, "é".repeat(43)]) {
    expect(here.matches("login", "cookie", wrong)).toBe(false);
  }
});
