"""Word lists from which people, companies and wishes are put together."""

from typing import Final

FIRST_NAMES: Final = {
    "de": "Anja Bastian Carolin Dieter Elif Florian Greta Henning Ines Jonas Katrin Lars Marlene Nils Petra".split(),
    "en": "Alice Brandon Chloe Derek Ellie Frank Grace Harvey Imogen Jack Kayla Liam Megan Noah Paige Ryan".split(),
    "fr": "Amandine Bruno Claire Damien Elodie Fabrice Helene Julien Lucie Mathieu Noemie Olivier".split(),
    "es": "Alba Beatriz Carlos Diego Elena Fernando Gloria Hugo Lucia Mateo Pilar Raul".split(),
    "nl": "Anouk Bram Daan Eline Femke Gijs Jasper Lieke Maarten Sanne".split(),
    "zh": "Hui Jian Li Mei Ning Wei Xin Yan".split(),
}
LAST_NAMES: Final = {
    "de": "Ahrens Brandt Claussen Dorn Eckstein Feldmann Grote Hellwig Imhoff Kessler Lohmann Rademacher".split(),
    "en": "Ashdown Bellamy Crowther Dunmore Ellery Fairburn Garrick Holloway Kingsley Marlowe Pemberton".split(),
    "fr": "Armand Berthier Chauvet Delorme Fontanel Garnier Lacombe Moreau Perrin Vasseur".split(),
    "es": "Aranda Benavides Cordero Escobar Fuentes Herrero Ledesma Montero Quintana Salcedo".split(),
    "nl": "Bakkers Dijkhuis Hoekema Kuipers Terpstra Veldman Wouda Zijlstra".split(),
    "zh": "Chan Fong Kwok Leung Ong Tan Teo Yap".split(),
}
COMPANY_STARTS: Final = (
    "Alder Amber Arden Basalt Beacon Birch Bram Calder Cedar Cobalt Copper Corvid Dovetail Drift Ember Fallow Fenn "
    "Flint Garnet Glen Granite Hazel Heron Indigo Iron Juniper Kelp Kestrel Larch Linden Loam Marl Mistral Moor Nettle "
    "Oriel Osier Pewter Pine Quarry Quill Raven Reed Rill Rowan Saffron Sedge Slate Sorrel Tarn Teal Thistle Umber "
    "Vale Verdant Wader Willow Wren Yarrow Zephyr"
).split()
COMPANY_ENDS: Final = "bay bridge brook croft dale field ford gate haven mere port ridge shore stead well wick".split()
COMPANY_KINDS: Final = {
    "Logistics": "Logistics Freight Cargo Haulage Warehousing".split(),
    "Retail": "Stores Markets Outfitters Trading".split(),
    "Food": "Foods Dairies Bakeries Provisions".split(),
    "Manufacturing": "Works Castings Components Tooling Machines".split(),
    "Pharmaceuticals": "Pharma Biologics Labs".split(),
    "Electronics": "Circuits Devices Sensors".split(),
    "Publishing": "Press Books Media".split(),
}
LEGAL_FORMS: Final = {
    "DE": "GmbH", "AT": "GmbH", "CH": "AG", "US": "Inc.", "CA": "Ltd.", "GB": "Ltd", "IE": "Ltd", "FR": "SAS",
    "NL": "B.V.", "BE": "NV", "AU": "Pty Ltd", "NZ": "Ltd", "SG": "Pte. Ltd.", "MX": "S.A.",
}  # fmt: skip
JOB_TITLES: Final = (
    "Head of Operations|Warehouse Manager|Supply Chain Director|Plant Manager|Purchasing Manager|COO|"
    "Logistics Engineer|Project Lead|Managing Director"
).split("|")
MESSAGES: Final = (
    "We are moving to a new site and want to plan the warehouse from scratch.|"
    "How long does it take from order to first parcel?|Please send us a price list.|"
    "Two of our sites need more throughput before the season starts.|"
    "We saw you at the fair and would like a demonstration.|Can it run beside our current system?|"
    "We need someone to look at our loading docks.|Is there a leasing model?|"
    "Our picking errors are too high. Can you help?|We are comparing three suppliers this month."
).split("|")
LOST_REASONS: Final = (
    "Too expensive|Chose another supplier|No budget this year|No answer|Project postponed|Not a fit"
).split("|")
INVALID_REASONS: Final = "Wrong number|Student project|Looking for a job|Test entry".split("|")


# Places: country, region, city, postal code, language, and phone numbers that belong to nobody there (# is any digit).
# Germany: numbers for media productions (Bundesnetzagentur); North America: 555-0100 to 555-0199; United Kingdom:
# numbers for drama (Ofcom); France: 01 99 00 and 04 65 71 (Arcep); Australia: 5550 and 7010 (ACMA). Elsewhere none are
# set aside.
PLACES: Final = (
    ("DE", "DE-HH", "Hamburg", "20095", "de", "+494066969###"),
    ("DE", "DE-BE", "Berlin", "10115", "de", "+493023125###"),
    ("DE", "DE-HE", "Frankfurt am Main", "60311", "de", "+496990009###"),
    ("DE", "DE-BY", "Munich", "80331", "de", "+498999998###"),
    ("DE", "DE-BW", "Stuttgart", "70173", "de", ""),
    ("DE", "DE-NW", "Cologne", "50667", "de", ""),
    ("AT", "AT-9", "Vienna", "1010", "de", ""),
    ("CH", "CH-ZH", "Zurich", "8001", "de", ""),
    ("GB", "GB-ENG", "London", "EC1A 1BB", "en", "+442079460###"),
    ("GB", "GB-ENG", "Bristol", "BS1 4ST", "en", "+441174960###"),
    ("GB", "GB-SCT", "Edinburgh", "EH1 1YZ", "en", "+441314960###"),
    ("IE", "", "Dublin", "", "en", ""),
    ("FR", "", "Paris", "75002", "fr", "+3319900####"),
    ("FR", "", "Lyon", "69002", "fr", "+3346571####"),
    ("NL", "", "Rotterdam", "3011 AA", "nl", ""),
    ("BE", "", "Antwerp", "2000", "nl", ""),
    ("US", "US-NY", "New York", "10013", "en", "+121255501##"),
    ("US", "US-MA", "Boston", "02110", "en", "+161755501##"),
    ("US", "US-IL", "Chicago", "60606", "en", "+131255501##"),
    ("US", "US-TX", "Dallas", "75201", "en", "+121455501##"),
    ("US", "US-FL", "Miami", "33131", "es", "+130555501##"),
    ("US", "US-CA", "Los Angeles", "90013", "es", "+121355501##"),
    ("US", "US-WA", "Seattle", "98104", "en", "+120655501##"),
    ("CA", "CA-ON", "Toronto", "M5H 2N2", "en", "+141655501##"),
    ("CA", "CA-QC", "Montreal", "H2Y 1C6", "fr", "+151455501##"),
    ("MX", "", "Monterrey", "64000", "es", ""),
    ("AU", "AU-NSW", "Sydney", "2000", "en", "+6125550####"),
    ("AU", "AU-VIC", "Melbourne", "3000", "en", "+6137010####"),
    ("NZ", "", "Auckland", "1010", "en", ""),
    ("SG", "", "Singapore", "049315", "zh", ""),
)
CURRENCIES: Final = {
    "DE": "EUR", "AT": "EUR", "CH": "CHF", "GB": "GBP", "IE": "EUR", "FR": "EUR", "NL": "EUR", "BE": "EUR",
    "US": "USD", "CA": "CAD", "MX": "USD", "AU": "AUD", "NZ": "NZD", "SG": "SGD",
}  # fmt: skip
# Euros per unit, rounded: good enough for a demo.
EUROS: Final = {
    "EUR": "1", "USD": "0.92", "GBP": "1.17", "CHF": "1.05", "CAD": "0.67", "AUD": "0.60", "NZD": "0.55", "SGD": "0.68",
}  # fmt: skip
