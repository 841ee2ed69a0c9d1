"""The names contoso is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class City:
    """Say where an office is: its region, its country by ISO 3166 letters, name and number."""

    region: str
    name: str
    code: str
    country: str
    number: int


CITIES: Final = (
    City("Europe", "London", "GB", "United Kingdom", 826),
    City("Europe", "Berlin", "DE", "Germany", 276),
    City("Europe", "Zürich", "CH", "Switzerland", 756),
    City("Europe", "Łódź", "PL", "Poland", 616),
    City("Europe", "Malmö", "SE", "Sweden", 752),
    City("Americas", "Boston", "US", "United States", 840),
    City("Americas", "Québec", "CA", "Canada", 124),
    City("Americas", "São Paulo", "BR", "Brazil", 76),
    City("Asia Pacific", "Osaka", "JP", "Japan", 392),
    City("Asia Pacific", "Sydney", "AU", "Australia", 36),
)
DEPARTMENTS: Final = (
    "Engineering",
    "Finance",
    "Human Resources",
    "Legal",
    "Research, Development",
    "Sales",
)
TITLES: Final = (
    "Engineer",
    "Analyst",
    "Director",
    "Specialist",
    "Señor Developer",
    "Administrator",
    "Architect",
)

# 61 and 67 names: both prime, so the first 4,087 pairs (n mod 61, n mod 67) differ.
_GIVEN: Final = """
    Abebe Adriana Agnieszka Ahmet Åke Alba Amadou Anneli Antônio Arjun Aurélie Bartosz Birgit Bogdan Brigid
    Camille Cem Chiara Clément Danuta Deepa Dieter Ebba Edith Eduardo Elżbieta Emre Farida Finn Florence Gaël
    Ginevra Göran Gwen Hamid Haruki Helga Ines Ioana Jarosław Jens Kaito Karolina Léon Lidia Luís Magnús Marta
    Mirela Naoko Nils Omar Pınar Rasmus Rosalía Sakura Sigrún Tariq Theo Valentín Yui
"""
_FAMILY: Final = """
    Abbott Achterberg Almeida Aoki Årud Bauer Beaulieu Björk Błaszczyk Brânză Castellanos Ceylan Chatterjee
    Cieślak D'Amico Dahlström Demir Desrochers Ekström Engelhardt Faßbinder Ferreira Fjeldstad Fukuda Gagné
    Galić Giménez Grönlund Gutiérrez Hakimi Hasegawa Hedlund Huang Iglesias Ishikawa Jabłoński Juhász Kato
    Keller Kirwan Kröger Lindqvist Lopes Łuczak Magalhães Matsuda Mbeki Meißner Moreau Nakagawa Nielsen
    O'Hara Öberg Otero Pahlavi Quiroga Reinhardt Rybak Sandoval Şahin Takeda Tessier Uchida van-Dijk Wójcik
    Zając Zimmermann
"""
GIVEN: Final = tuple(_GIVEN.split())
FAMILY: Final = tuple(_FAMILY.split())
