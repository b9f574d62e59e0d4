"""Lists of names, suppliers and sentences to draw from. All invented; any likeness is chance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ORGANISATION = "Mto Mwangaza Trust"

GIVEN_NAMES = (
    "Achieng", "Aisha", "Akinyi", "Amina", "Anyango", "Atieno", "Baraka", "Brian", "Caroline", "Chebet",
    "Cherono", "Daudi", "Dennis", "Dorcas", "Edith", "Ekal", "Esther", "Faith", "Fatuma", "Gladys",
    "Grace", "Halima", "Hassan", "Ibrahim", "Imani", "Jabali", "Jane", "Juma", "Kamau", "Kariuki",
    "Kerubo", "Kevin", "Kipchumba", "Kiprono", "Kwame", "Leah", "Lilian", "Lokiru", "Makena", "Mercy",
    "Moraa", "Mumbi", "Mutiso", "Mwende", "Naliaka", "Nafula", "Naserian", "Njeri", "Nyaboke", "Nyambura",
    "Obuya", "Ochieng", "Omar", "Otieno", "Peris", "Peter", "Rehema", "Ruth", "Salim", "Samuel",
    "Saitoti", "Sharon", "Sifa", "Tabitha", "Tumaini", "Wafula", "Wambui", "Wanjiru", "Yusuf", "Zawadi",
)  # fmt: skip

FAMILY_NAMES = (
    "Abdalla", "Achola", "Adan", "Amwayi", "Barasa", "Bett", "Bosire", "Chepkwony", "Ekiru", "Gathoni",
    "Gichuru", "Hamisi", "Jepkosgei", "Kahindi", "Kamene", "Karanja", "Kiarie", "Kibet", "Kilonzo",
    "Kimani", "Kiplagat", "Kisia", "Kosgei", "Lekishon", "Lemayian", "Lokwawi", "Macharia", "Makori",
    "Maina", "Mbithi", "Menza", "Mohamed", "Mokaya", "Mugo", "Muli", "Munyao", "Murithi", "Musyoka",
    "Mutua", "Mwakio", "Mwangi", "Mwaniki", "Nduta", "Ngala", "Ng'ang'a", "Njoroge", "Nyakundi", "Nyongesa",
    "Obiero", "Odhiambo", "Ogola", "Okello", "Okoth", "Olwenda", "Omondi", "Onyancha", "Opiyo", "Oruko",
    "Ouma", "Owino", "Ruto", "Sankale", "Shikuku", "Simiyu", "Tanui", "Wachira", "Wairimu", "Wekesa",
)  # fmt: skip

#: Code, name, city, cost centre, share of the people, share of the spend.
DEPARTMENTS = (
    ("EXEC", "Executive office", "Nairobi", "4000", 2, 3),
    ("FIN", "Finance", "Nairobi", "4100", 7, 5),
    ("PPL", "People and culture", "Nairobi", "4200", 5, 4),
    ("ICT", "Information systems", "Nairobi", "4300", 7, 9),
    ("PROC", "Procurement and stores", "Nairobi", "4400", 6, 7),
    ("COMMS", "Communications", "Nairobi", "4500", 4, 5),
    ("MEL", "Monitoring and learning", "Nairobi", "4600", 6, 6),
    ("PROG", "Programmes", "Nairobi", "5000", 14, 17),
    ("FIELD-MSA", "Coast field office", "Mombasa", "5100", 14, 13),
    ("FIELD-KSM", "Lake field office", "Kisumu", "5200", 14, 13),
    ("FIELD-NKR", "Rift field office", "Nakuru", "5300", 10, 9),
    ("FIELD-GSA", "North-east field office", "Garissa", "5400", 7, 6),
    ("FLEET", "Transport and fleet", "Nairobi", "5900", 4, 3),
)

#: Code, title, grade, whether managerial, minimum and maximum monthly basic pay in KES.
ROLES = (
    ("EXEC-DIR", "Executive director", 12, True, 620_000, 620_000),
    ("HEAD", "Head of department", 10, True, 260_000, 380_000),
    ("TEAM-LEAD", "Team leader", 8, True, 150_000, 230_000),
    ("ACCOUNTANT", "Accountant", 6, False, 85_000, 130_000),
    ("HR-OFFICER", "People officer", 6, False, 75_000, 120_000),
    ("SYS-ADMIN", "Systems administrator", 6, False, 90_000, 160_000),
    ("BUYER", "Procurement officer", 5, False, 65_000, 100_000),
    ("COMMS-OFFICER", "Communications officer", 5, False, 65_000, 100_000),
    ("ANALYST", "Monitoring analyst", 6, False, 80_000, 140_000),
    ("PROG-OFFICER", "Programme officer", 6, False, 80_000, 130_000),
    ("FIELD-OFFICER", "Field officer", 5, False, 55_000, 85_000),
    ("ENUMERATOR", "Enumerator", 3, False, 32_000, 48_000),
    ("DRIVER", "Driver", 3, False, 30_000, 45_000),
    ("ASSISTANT", "Office assistant", 2, False, 24_000, 35_000),
    ("INTERN", "Intern", 1, False, 20_000, 25_000),
)

#: The roles of a department, besides its head and team leaders.
STAFFING = {
    "EXEC": ("ASSISTANT", "ANALYST"),
    "FIN": ("ACCOUNTANT", "ASSISTANT", "INTERN"),
    "PPL": ("HR-OFFICER", "ASSISTANT", "INTERN"),
    "ICT": ("SYS-ADMIN", "INTERN"),
    "PROC": ("BUYER", "ASSISTANT"),
    "COMMS": ("COMMS-OFFICER", "INTERN"),
    "MEL": ("ANALYST", "ENUMERATOR"),
    "PROG": ("PROG-OFFICER", "ASSISTANT", "INTERN"),
    "FLEET": ("DRIVER", "ASSISTANT"),
}
FIELD_STAFFING = ("FIELD-OFFICER", "FIELD-OFFICER", "ENUMERATOR", "DRIVER", "PROG-OFFICER")


@dataclass(frozen=True, kw_only=True)
class Spending:
    """One kind of expense: frequency, amount, suppliers, purposes."""

    category: str
    share: int
    median: Decimal  #: KES
    spread: float  #: of the logarithm of the amount
    suppliers: tuple[str, ...]
    purposes: tuple[str, ...]


SPENDING = (
    Spending(
        category="travel", share=26, median=Decimal(3_400), spread=0.8,
        suppliers=("Nyota Coaches", "Savanna Shuttle", "Twiga Airlines", "Kipepeo Cabs", "Reli Express"),
        purposes=("To {city} and back", "Taxi to a meeting", "Flight to {city}", "Fare of a field visit"),
    ),
    Spending(
        category="meals", share=20, median=Decimal(1_300), spread=0.7,
        suppliers=("Mama Zawadi Kitchen", "Café Jacaranda", "Pwani Dishes", "Chapati House", "Mkahawa Bora"),
        purposes=("Lunch at a workshop", "Tea for a meeting", "Per diem in {city}", "Dinner with partners"),
    ),
    Spending(
        category="accommodation", share=9, median=Decimal(8_800), spread=0.5,
        suppliers=("Hotel Mwezi", "Ziwa View Lodge", "Bahari Guest House", "Rift Rest Inn"),
        purposes=("Two nights in {city}", "One night in {city}", "Conference package in {city}"),
    ),
    Spending(
        category="office", share=14, median=Decimal(4_200), spread=0.9,
        suppliers=("Kilimanjaro Stationers", "Karatasi Supplies", "Jua Kali Furniture", "Maji Safi Water"),
        purposes=("Printer paper", "Toner", "Drinking water", "Cleaning materials", "Two office chairs"),
    ),
    Spending(
        category="equipment", share=4, median=Decimal(48_000), spread=0.8,
        suppliers=("Simba Computers", "Umeme Instruments", "Duka la Vifaa"),
        purposes=("Laptop", "Tablets for a survey", "Projector", "Solar lamps", "Camera"),
    ),
    Spending(
        category="software", share=3, median=Decimal(21_000), spread=0.8,
        suppliers=("Mawingu Hosting", "Tarakilishi Licences"),
        purposes=("Hosting", "Licences for a year", "Survey platform"),
    ),
    Spending(
        category="training", share=5, median=Decimal(26_000), spread=0.9,
        suppliers=("Elimu Institute", "Ujuzi Trainers", "First Aid Kenya School"),
        purposes=("Course on safeguarding", "First aid course", "Workshop for field officers"),
    ),
    Spending(
        category="utilities", share=8, median=Decimal(16_500), spread=0.6,
        suppliers=("Nuru Power", "Maji County Water", "Sauti Telecom"),
        purposes=("Electricity", "Water", "Airtime and data", "Internet of the {city} office"),
    ),
    Spending(
        category="services", share=6, median=Decimal(58_000), spread=0.9,
        suppliers=("Haki & Partners Advocates", "Mizani Auditors", "Askari Guards", "Lugha Translators"),
        purposes=("Guarding of the {city} office", "Translation to Swahili", "Legal advice", "Audit fee"),
    ),
    Spending(
        category="other", share=5, median=Decimal(2_600), spread=0.9,
        suppliers=("Posta Couriers", "Benki ya Jamii", "Ofisi Repairs"),
        purposes=("Courier", "Bank charges", "Repair of a lock", "Notice in a newspaper"),
    ),
)  # fmt: skip

#: Incidents: category, title, most likely severity.
TROUBLES = (
    ("network", "Link to the {city} office is down", "high"),
    ("network", "Wireless network is slow in {city}", "low"),
    ("hardware", "Laptop does not start", "medium"),
    ("hardware", "Printer jams at {city}", "low"),
    ("software", "Survey platform loses drafts", "high"),
    ("software", "Spreadsheet of budgets does not open", "medium"),
    ("access", "Account is locked", "medium"),
    ("access", "New colleague cannot log in", "medium"),
    ("power", "Power cut at the {city} office", "high"),
    ("power", "Solar inverter reports a fault", "medium"),
    ("vehicle", "Puncture on the road to {city}", "medium"),
    ("vehicle", "Vehicle is due for inspection", "low"),
    ("safety", "Slip on the stairs, nobody hurt", "medium"),
    ("safety", "Road accident near {city}, nobody hurt", "critical"),
    ("data", "Report shows last month's figures", "medium"),
    ("data", "File of partners sent to the wrong address", "critical"),
    ("other", "Key of the store room is missing", "low"),
)

LEAVE_REASONS = {
    "annual": ("Family visit", "Rest", "Wedding in the family", "School holidays", "Harvest at home"),
    "sick": ("Sick note of two days", "Malaria, with a note of the clinic", "Fever", "Dentist"),
    "maternity": ("Birth expected",),
    "paternity": ("Birth of a child",),
    "compassionate": ("Funeral", "Illness of a parent"),
    "unpaid": ("Examinations", "Private matters"),
}
